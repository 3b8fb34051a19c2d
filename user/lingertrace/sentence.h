/* SPDX-License-Identifier: MIT */
/* Verdicts in words that a person can act on. */
#ifndef LINGERTRACE_SENTENCE_H
#define LINGERTRACE_SENTENCE_H

#include <stdio.h>

#include "lingertrace/tally.h"

enum { SENTENCE_SIZE = 256 };

/* What happened, to how many, by whom, and after the semicolon what to do. */
void sentence_of(char text[SENTENCE_SIZE], const struct tally *tally);

/* One sentence a line, "no response was at risk" among them if so. partial: something was lost or missed. */
void sentences_print(const struct tallies *tallies, bool partial, FILE *out);

#endif
