/* SPDX-License-Identifier: MIT */
/* [results] gzip = auto, yes or no: whether connections.csv is kept as connections.csv.gz. */
#ifndef LINGERBENCH_COMPRESSING_H
#define LINGERBENCH_COMPRESSING_H

enum compressing {
	COMPRESSING_AUTO, /* from 8 MiB on, which is some 50,000 connections */
	COMPRESSING_YES,
	COMPRESSING_NO,
};

/* 0 or -EINVAL. */
int compressing_parse(const char *text, enum compressing *ret);

/*
 * Puts PATH.gz in the place of the file, if it is to be compressed. 0 or a negative errno; then one of both, or what there is of
 * both, is left: it is for folders that get their name when all in them is whole.
 */
int compressing_file(const char *path, enum compressing how);

#endif
