/* The keys of `schema_contract`. */
#include "config/key_row.h"
#include "config/load.h"

static const struct choice contract_choices[] = {
    {"evolve", CONTRACT_EVOLVE},
    {"freeze", CONTRACT_FREEZE},
    {"discard_row", CONTRACT_DISCARD_ROW},
    {"discard_value", CONTRACT_DISCARD_VALUE},
    {NULL, 0},
};

static const struct key contract_keys[] = {
    {.name = "columns",
     .kind = KIND_CHOICE,
     TO(struct schema_contract, columns),
     .choices = contract_choices,
     .fallback = "evolve",
     .about = "A member that no column is for gets one (evolve), fails the run (freeze), sends its "
              "record to the dead letters (discard_row), or is left out (discard_value).",
     .example = "freeze"},
    {.name = "types",
     .kind = KIND_CHOICE,
     TO(struct schema_contract, types),
     .choices = contract_choices,
     .fallback = "evolve",
     .about = "A value that its column does not take widens the column (evolve), fails the run "
              "(freeze), sends its record to the dead letters (discard_row, and in any case where "
              "a field declares the type), or is NULL (discard_value).",
     .example = "discard_row"},
};

const struct key_set contract_key_set = {.title = "sources[].schema_contract",
                                         .holder = "schema_contract",
                                         .keys = contract_keys,
                                         .count = COUNT(contract_keys),
                                         .size = sizeof(struct schema_contract)};
