/* SPDX-License-Identifier: MIT */
/*
 * What the files of the intake share, and nobody else:
 *
 *	intake.c	  the whole: its round, who may go on, its end
 *	admission.c	  the listener: who is let in, and who has to go for that
 *	intake_messages.c what a sender says: handoffs, questions, commands
 */
#ifndef LINGERD_INTAKE_PARTS_H
#define LINGERD_INTAKE_PARTS_H

#include "lingerd/events.h"
#include "lingerd/intake.h"
#include "lingerd/message.h"
#include "lingerd/refusal.h"
#include "lingerd/senders.h"

struct intake {
	struct intake_parts parts;
	bool listening; /* the listener is in the epoll set */
	bool stopping;
	bool backlog_done;    /* stopping, and all that had connected have been accepted */
	bool more;	      /* a turn ended before the queue did */
	uint32_t messages;    /* in this round */
	uint64_t retry_at_ns; /* the kernel had no room to watch something; 0: it had */
	struct senders senders;
	struct refusals refusals;
};

/* intake.c */
bool intake_full(const struct intake *intake);
/* Whether the fd is watched now; else it will be tried again. */
bool intake_watch(struct intake *intake, int fd, enum event_source source);
/* No more can be added to its queue; when that has been read to its end, it is closed. */
void intake_leave(struct intake *intake, int fd);
/* Closes the sender: one that is not watched, or one that is. */
void intake_forget(struct intake *intake, int fd);
void intake_hang_up(struct intake *intake, int fd);

/* admission.c */
void intake_listen_on(struct intake *intake);
void intake_listen_off(struct intake *intake);
/* Takes a connection that has been accepted. */
void intake_admit(struct intake *intake, int fd);

/* intake_messages.c */
/* Acts on a message, whose fd is the engine's from then on. */
void intake_serve(struct intake *intake, int fd, struct message *message);
/* Who asks and does not read misses the answer. */
void intake_answer(int fd, const char *text, size_t length);

#endif
