# SPDX-License-Identifier: BSD-2-Clause
"""Work that is noted while it is done, step by step, and then the suite on all
that a crash in the middle of it may leave. What a step is, and what may be
left, a subclass knows: reorder.py, blocks.py."""
import faults
import suite


class Crashing:
    steps = 0  # that were noted

    def __init__(self, s, work):
        self.s, self.work = s, work

    # What a subclass says.

    def recording(self):
        """A context in which steps are noted."""
        raise NotImplementedError

    def when(self, words):
        """Which step comes next, now that a client has read these words."""
        raise NotImplementedError

    def recorded(self):
        """Everything was killed: set self.steps."""
        raise NotImplementedError

    def states(self):
        """[(step, state)] in order: what a crash before that step, and none
        after it, may leave."""
        raise NotImplementedError

    def restore(self, state):
        """Make it so, where the suite works."""
        raise NotImplementedError

    def leave(self):
        """The suite was killed there: what else is wrong."""
        return []

    # What is done with that.

    def promise(self, words):
        self.made.append((self.when(words), self.work.acknowledged()))

    def record(self, units):
        """self.made: what was acknowledged before which step."""
        self.work.start(self.s)
        self.work.settle(self.s)
        self.made = [(-1, self.work.acknowledged())]
        self.work.told = self.promise
        with self.recording():
            for _ in range(units):
                self.work.unit(self.s)
            self.work.settle(self.s)
        self.work.told = lambda words: None
        faults.kill_everything(self.s)
        self.recorded()

    def check(self, step, state):
        """What is wrong in a state that a crash before `step` may leave."""
        self.restore(state)
        self.work.only([what for at, what in self.made if at <= step][-1])
        faults.start_again(self.s)
        try:
            wrong = suite.wait_for(lambda: self.looked_at(), "the suite to "
                                   "serve again", faults.SERVES_AGAIN)[0]
        finally:
            faults.kill_everything(self.s)
        return wrong + self.leave()

    def looked_at(self):
        try:
            return self.work.check(self.s),
        except OSError:
            return None

    def run(self, most):
        """At most that many states, spread evenly."""
        all_of_them = self.states()
        n = min(most, len(all_of_them))
        wrong = []
        for i in range(n):
            step, state = all_of_them[i * len(all_of_them) // n]
            wrong += [f"before step {step} of {self.steps}: {w}"
                      for w in self.check(step, state)]
        print(f"{n} of {len(all_of_them)} states after a crash, "
              f"{self.steps} steps, {self.work}, {len(wrong)} wrong",
              flush=True)
        return wrong
