/* SPDX-License-Identifier: MIT */
#include "lingerd/users.h"

#include "lingerd/settings.h"

uint16_t users_find(struct users *users, const struct settings *settings, uid_t uid)
{
	uint32_t i;

	for (i = 0; i < users->count; i++)
		if (users->list[i].uid == uid)
			return (uint16_t)i;
	if (users->count == USERS_MAX)
		return USERS_MAX - 1;
	users->list[i].uid = uid;
	settings_policy_of(settings, uid, &users->list[i].policy);
	users->count++;
	return (uint16_t)i;
}

uint16_t users_turned_away(struct users *users, const struct settings *settings)
{
	struct user *user = &users->list[USERS_TURNED_AWAY];

	user->uid = (uid_t)-1; /* no user's number, see setreuid(2) */
	settings_policy_of(settings, user->uid, &user->policy);
	return USERS_TURNED_AWAY;
}

void users_apply(struct users *users, const struct settings *settings)
{
	for (uint32_t i = 0; i < users->count; i++)
		settings_policy_of(settings, users->list[i].uid, &users->list[i].policy);
	users_turned_away(users, settings);
}
