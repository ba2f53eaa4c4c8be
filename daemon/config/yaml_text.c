#include "config/yaml_text.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Words that some version of YAML takes for a boolean or for nothing; a ~ is never plain here. */
static bool is_special_word(const char *string)
{
    static const char *const words[] = {"y",   "n",  "yes",  "no",    "true",
                                        "off", "on", "null", "false", NULL};

    for (const char *const *word = words; *word != NULL; word++) {
        if (strcasecmp(string, *word) == 0)
            return true;
    }
    return false;
}

/* What begins with a letter and has none of YAML's signs is no number, no date and no structure. */
static bool is_plain(const char *string)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t length = strlen(string);

    if (length == 0 || (strchr(letters, *string) == NULL && strchr("/_$", *string) == NULL))
        return false;
    return strspn(string, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                          "_-./:@%+=&?~$*();") == length &&
           string[length - 1] != ':' && !is_special_word(string);
}

/* The character that begins at `p`, in UTF-8 that was checked, and its bytes. */
static uint32_t character_at(const char *p, size_t *length)
{
    unsigned char first = (unsigned char)*p;
    uint32_t code;

    *length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    code = *length == 1 ? first : first & (0xffu >> (*length + 1));
    for (size_t i = 1; i < *length; i++)
        code = code << 6 | ((unsigned char)p[i] & 0x3f);
    return code;
}

static void put_escape(struct text *out, uint32_t code)
{
    if (code == '\n' || code == '\t' || code == '\r')
        text_add(out, code == '\n' ? "\\n" : code == '\t' ? "\\t" : "\\r");
    else if (code == '"' || code == '\\')
        text_format(out, "\\%c", (int)code);
    else
        text_format(out, code > 0xffff ? "\\U%08X" : "\\u%04X", (unsigned)code);
}

static void put_quoted(struct text *out, const char *string, bool variables)
{
    text_char(out, '"');
    for (const char *p = string; *p != '\0';) {
        size_t length;
        uint32_t code = character_at(p, &length);

        if (variables && strncmp(p, "${", 2) == 0)
            text_char(out, '$');
        if (code < 0x20 || code == '"' || code == '\\' || code == 0x7f || text_is_deceptive(code))
            put_escape(out, code);
        else
            text_append(out, p, length);
        p += length;
    }
    text_char(out, '"');
}

void yaml_put_text(struct text *out, const char *string, bool variables)
{
    if (is_plain(string))
        text_add(out, string);
    else
        put_quoted(out, string, variables);
}
