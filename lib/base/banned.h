/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * banned.h - calls that do not compile in Postern.
 *
 * Included into every source file by the build. The first group cannot know
 * the size of what it writes or keeps hidden state; the second opens files,
 * sockets or libraries behind our back and so fails inside a jail (DESIGN §9):
 * what it does is done by service_main() before the jail, or by a daemon whose
 * only job it is (dnsd, logd). The last calls a directory durable that is on a
 * disk which has failed; io_sync() of io.h does not.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <grp.h>
#include <iconv.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define BANNED(name) name##_is_banned_see_banned_h

#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef strtok
#undef sprintf
#undef vsprintf
#undef gmtime
#undef localtime
#undef ctime
#undef asctime
#undef atoi
#undef atol
#undef system
#undef popen
#undef signal
#define strcpy(...)    BANNED(strcpy)
#define strcat(...)    BANNED(strcat)
#define strncpy(...)   BANNED(strncpy)
#define strncat(...)   BANNED(strncat)
#define strtok(...)    BANNED(strtok)
#define sprintf(...)   BANNED(sprintf)
#define vsprintf(...)  BANNED(vsprintf)
#define gmtime(...)    BANNED(gmtime)
#define localtime(...) BANNED(localtime)
#define ctime(...)     BANNED(ctime)
#define asctime(...)   BANNED(asctime)
#define atoi(...)      BANNED(atoi)
#define atol(...)      BANNED(atol)
#define system(...)    BANNED(system)
#define popen(...)     BANNED(popen)

#define getaddrinfo(...)   BANNED(getaddrinfo)
#define gethostbyname(...) BANNED(gethostbyname)
#define getpwnam(...)      BANNED(getpwnam)
#define getpwuid(...)      BANNED(getpwuid)
#define getgrnam(...)      BANNED(getgrnam)
#define getgrgid(...)      BANNED(getgrgid)
#define openlog(...)    BANNED(openlog)
#define vsyslog(...)    BANNED(vsyslog)
#define dlopen(...)     BANNED(dlopen)
#define iconv_open(...) BANNED(iconv_open)

#define fsync(...) BANNED(fsync)

#endif
