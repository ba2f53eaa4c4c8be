#include "example_variables.h"

#include <stddef.h>
#include <stdlib.h>

void set_example_variables(void)
{
    static const char *const required[] = {"GITHUB_TOKEN", "GITLAB_TOKEN", "SLACK_CHANNEL",
                                           "TENANT",       "CLIENT_ID",    "CLIENT_SECRET"};
    static const char *const with_default[] = {
        "STATE_DIRECTORY", "GITHUB_API",       "GITHUB_REPO",    "GITHUB_OWNER",  "GITHUB_NAME",
        "SLACK_API",       "SLACK_TOKEN_FILE", "WORLD_BANK_API", "ODATA_SERVICE", "GITLAB_API",
        "GITLAB_GROUP",    "GRAPH_LOGIN",      "GRAPH_API",
    };

    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
        setenv(required[i], "***", 1);
    for (size_t i = 0; i < sizeof(with_default) / sizeof(with_default[0]); i++)
        unsetenv(with_default[i]);
}
