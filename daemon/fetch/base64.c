#include "fetch/base64.h"

#include <stdint.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(struct text *out, const char *data, size_t length)
{
    for (size_t i = 0; i < length; i += 3) {
        uint32_t group = (uint32_t)(unsigned char)data[i] << 16;

        if (i + 1 < length)
            group |= (uint32_t)(unsigned char)data[i + 1] << 8;
        if (i + 2 < length)
            group |= (unsigned char)data[i + 2];
        text_char(out, letters[group >> 18]);
        text_char(out, letters[group >> 12 & 63]);
        text_char(out, i + 1 < length ? letters[group >> 6 & 63] : '=');
        text_char(out, i + 2 < length ? letters[group & 63] : '=');
    }
}
