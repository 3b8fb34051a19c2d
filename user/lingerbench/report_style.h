/* SPDX-License-Identifier: MIT */
#ifndef LINGERBENCH_REPORT_STYLE_H
#define LINGERBENCH_REPORT_STYLE_H

/* The CSS of report.html: for a phone, a desk and paper, light and dark. */
extern const char report_style[];

#endif
