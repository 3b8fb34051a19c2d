/* SPDX-License-Identifier: MIT */
#ifndef LINGERBENCH_HTML_H
#define LINGERBENCH_HTML_H

#include <stdio.h>

/* Text that means itself: < > & and quotes are escaped. */
static inline void html_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

#endif
