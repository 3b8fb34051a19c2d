/* SPDX-License-Identifier: MIT */
#include "lingerbench/servers/apache.h"

#include <limits.h>
#include <stdio.h>

#include "lingerbench/pages.h"

#define PHP_MODULE APACHE_MODULES "/libphp8.2.so"

static const char *const files[] = { APACHE_PROGRAM, APACHE_MODULES "/mod_mpm_prefork.so",
				     PHP_MODULE, NULL };

/* The script answers everything; the body of an upload is left to Apache, unread. */
static int configure(const struct program_setup *setup)
{
	char more[PATH_MAX + 512];
	int error = program_write(setup, "answer.php",
				  "<?php\n"
				  "preg_match('/[0-9]+$/', $_SERVER['REQUEST_URI'], $number);\n"
				  "$page = '%s/" PAGES_FOLDER "/' . (int)$number[0];\n"
				  "if ($_SERVER['REQUEST_METHOD'] == 'POST')\n"
				  "    http_response_code(413);\n"
				  "header('Content-Length: ' . filesize($page));\n"
				  "readfile($page);\n",
				  setup->folder);

	if (error)
		return error;
	snprintf(more, sizeof(more),
		 "LoadModule alias_module " APACHE_MODULES "/mod_alias.so\n"
		 "LoadModule php_module " PHP_MODULE "\n"
		 "AliasMatch \"^/\" \"%s/answer.php\"\n"
		 "SetHandler application/x-httpd-php\n"
		 "php_admin_flag enable_post_data_reading off\n",
		 setup->folder);
	return apache_configure(setup, "prefork", more);
}

const struct program program_apache_php = {
	.name = "apache-php",
	.summary = "Apache 2.4 with a process per worker, and mod_php in it",
	.packages = "libapache2-mod-php8.2",
	.files = files,
	.strategies = apache_blocking_strategies,
	.plugin = APACHE_PLUGIN,
	.overhead_ms = 250,
	.configure = configure,
	.execute = apache_execute,
};
