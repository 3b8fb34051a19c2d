/* SPDX-License-Identifier: MIT */
/* Where this program's companions are: beside it in a build folder, or as make install puts them. */
#ifndef LINGERBENCH_LOCATE_H
#define LINGERBENCH_LOCATE_H

#include <limits.h>

/* An executable of the project. 0, or a negative errno: it is at none of its places. */
int locate_program(const char *name, char ret_path[PATH_MAX]);

/* A loadable object of the project, likewise. */
int locate_library(const char *name, char ret_path[PATH_MAX]);

/* The folder of scenarios; one in the working folder goes first. 0, or a negative errno. */
int locate_scenarios(char ret_path[PATH_MAX]);

#endif
