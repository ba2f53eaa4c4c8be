/*
 * example_variables.h - what the files of config/examples need of the environment to load.
 */
#ifndef GATHERD_TEST_EXAMPLE_VARIABLES_H
#define GATHERD_TEST_EXAMPLE_VARIABLES_H

/*
 * Sets those without a default to what a dump shows in their place, so that the dump of a file is a
 * configuration that says the same; and unsets those with one.
 */
void set_example_variables(void);

#endif
