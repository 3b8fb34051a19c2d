/* SPDX-License-Identifier: MIT */
#include "common/screen.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define OTHER_SCREEN  "\033[?1049h\033[?25l" /* and no cursor */
#define FORMER_SCREEN "\033[?25h\033[?1049l"
#define HOME	      "\033[H"
#define CLEAR_LINE    "\033[K"
#define CLEAR_BELOW   "\033[J"

void screen_open(struct screen *screen, FILE *out)
{
	screen->out = out;
	screen->is_terminal = isatty(fileno(out));
	screen->is_taken = false;
}

static struct winsize size_of(const struct screen *screen)
{
	struct winsize size = { 0 };

	if (screen->is_terminal)
		ioctl(fileno(screen->out), TIOCGWINSZ, &size);
	return size;
}

unsigned int screen_lines(const struct screen *screen)
{
	return size_of(screen).ws_row;
}

/* The bytes of at most so many characters (UTF-8) of the line. */
static size_t cut(const char *line, size_t length, unsigned int columns)
{
	unsigned int characters = 0;

	for (size_t i = 0; columns && i < length; i++)
		if (((unsigned char)line[i] & 0xc0) != 0x80 && ++characters > columns)
			return i;
	return length;
}

static void draw(struct screen *screen, const char *text)
{
	struct winsize size = size_of(screen);
	unsigned int lines = 0;

	if (!screen->is_taken)
		fputs(OTHER_SCREEN, screen->out);
	screen->is_taken = true;
	fputs(HOME, screen->out);
	while (*text && (!size.ws_row || ++lines < size.ws_row)) {
		size_t length = strcspn(text, "\n");

		fwrite(text, 1, cut(text, length, size.ws_col), screen->out);
		fputs(CLEAR_LINE "\n", screen->out);
		text += length + (text[length] == '\n');
	}
	fputs(CLEAR_BELOW, screen->out);
}

int screen_show(struct screen *screen, const char *text)
{
	errno = 0;
	if (screen->is_terminal)
		draw(screen, text);
	else
		fprintf(screen->out, "%s\n", text);
	if (!fflush(screen->out) && !ferror(screen->out))
		return 0;
	return errno ? -errno : -EIO;
}

void screen_close(struct screen *screen)
{
	if (screen->is_taken) {
		fputs(FORMER_SCREEN, screen->out);
		fflush(screen->out);
	}
	screen->is_taken = false;
}
