/* SPDX-License-Identifier: MIT */
/*
 * What can be set, from a configuration file or the command line: both know the same keys (the
 * long options, without dashes). Settings are made in a staging structure and take effect only
 * when all of them are good.
 *
 *	settings.c	the settings as a whole
 *	settings_values.c  what may stand behind each key
 *	settings_file.c	   the file: [lingerd] for everybody, [user NAME] for the processes of one user
 */
#ifndef LINGERD_SETTINGS_H
#define LINGERD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lingerd/access.h"
#include "lingerd/policy.h"

/* unix(7): sun_path with its final NUL. */
enum {
	SOCKET_PATH_SIZE = 108,
	METRICS_SIZE = sizeof("unix:") + SOCKET_PATH_SIZE,
	PID_FILE_SIZE = 256,
	DRAIN_TABLE_SIZE = 256,
};

/* What chown(2) takes for "leave it as it is". */
#define USER_UNCHANGED	((uid_t)-1)
#define GROUP_UNCHANGED ((gid_t)-1)

enum setting {
	SETTING_SOCKET,
	SETTING_SOCKET_MODE,
	SETTING_SOCKET_GROUP,
	SETTING_MAX_CONNECTIONS,
	SETTING_WORKERS,
	SETTING_WHEN_FULL,
	SETTING_MAX_PER_CLIENT,
	SETTING_ALLOW_USERS,
	SETTING_ALLOW_GROUPS,
	SETTING_STOP_GRACE,
	SETTING_FD_STORE,
	SETTING_METRICS,
	SETTING_METRICS_REMOTE,
	SETTING_SUMMARY_INTERVAL,
	SETTING_LOG,
	SETTING_USER,
	SETTING_PID_FILE,
	SETTING_SANDBOX,
	SETTING_IO_URING,
	SETTING_DRAIN,
	SETTING_DRAIN_TABLE,
	/* From here on, users may have their own. */
	SETTING_IDLE_TIMEOUT,
	SETTING_TOTAL_TIMEOUT,
	SETTING_BYTE_CAP,
	SETTING_AT_DEADLINE,
	SETTING_MAX_PER_USER,
	SETTING_COUNT,
};

extern const char *const setting_names[SETTING_COUNT];

static inline bool setting_is_of_users(enum setting setting)
{
	return setting >= SETTING_IDLE_TIMEOUT;
}

enum when_full {
	FULL_REFUSE,	  /* take nothing: senders linger for themselves */
	FULL_SHED_OLDEST, /* give up the connection that lingers for longest */
};

/* Of one user: what is given goes over what holds for everybody. */
struct user_settings {
	uid_t uid;
	uint32_t given; /* a bit for each setting */
	struct linger_policy policy;
};

enum { USER_SETTINGS_MAX = 32 };

struct settings {
	char socket_path[SOCKET_PATH_SIZE];
	mode_t socket_mode;
	gid_t socket_group; /* or GROUP_UNCHANGED */
	uint32_t
		max_connections; /* wished for; 0: DEFAULT_MAX_CONNECTIONS, without a word if there are fewer (limits.h) */
	uint32_t workers; /* processes, the first one among them: workers.h */
	enum when_full when_full;
	uint32_t max_per_client; /* or POLICY_NO_LIMIT */
	struct access access;
	uint64_t stop_grace_ns; /* how long lingers may go on at SIGTERM; 0: not at all */
	bool fd_store;		/* leave to the service manager what lingers then */
	char metrics
		[METRICS_SIZE]; /* where they are served, as metrics/target.h has it; "": nowhere */
	int metrics_line;	/* of the file that says so; 0: none does */
	bool metrics_remote;	/* others than this host may be served */
	uint64_t summary_ns;	/* between the summaries in the log; 0: there are none */
	bool syslog;		/* the log goes there, and not to stderr */
	uid_t user;		/* to become, if it is root who starts us; or USER_UNCHANGED */
	gid_t user_group;	/* that user's own */
	char pid_file[PID_FILE_SIZE];	    /* "": none */
	bool sandbox;			    /* sandbox.h */
	bool io_uring;			    /* where it is allowed: ring.h */
	bool drain_in_kernel;		    /* if it can: kernel_drain.h */
	char drain_table[DRAIN_TABLE_SIZE]; /* pinned there */
	struct linger_policy policy;	    /* of everybody */
	struct user_settings users[USER_SETTINGS_MAX];
	uint32_t user_count;
};

/* Asked for unless something else is set: more than most limits of open files allow. */
enum { DEFAULT_MAX_CONNECTIONS = 65536 };

/* Where lingerd-drain(8) pins it unless it is told otherwise. */
#define DEFAULT_DRAIN_TABLE "/run/lingerd-drain/connections"

/* A message that says what is wrong with a setting or a file, without a line end. */
struct problem {
	char text[512];
};

__attribute__((format(printf, 2, 3))) void problem_say(struct problem *problem, const char *format,
						       ...);

void settings_default(struct settings *settings);

/* Sets one for everybody. 0, or -EINVAL with *problem said and the settings untouched. */
int settings_set(struct settings *settings, enum setting setting, const char *value,
		 struct problem *problem);

/* What does not fit together, once all is set. 0, or -EINVAL with *problem said. */
int settings_check(const struct settings *settings, struct problem *problem);

/* What a value of setting_is_of_users() does to a policy; otherwise as settings_set(). */
int settings_set_policy(struct linger_policy *policy, enum setting setting, const char *value,
			struct problem *problem);

/*
 * Reads a file over the settings. 0, or a negative errno with *problem said ("FILE:LINE: ..." where
 * a line is to blame) and the settings untouched. Blocks in reading the file, and in looking up
 * the names of users and groups.
 */
int settings_read_file(struct settings *settings, const char *path, struct problem *problem);

/* What holds for the processes of this user. */
void settings_policy_of(const struct settings *settings, uid_t uid, struct linger_policy *ret);

#endif
