/*
 * test.h - what every cmocka test includes first.
 *
 * cmocka.h needs these standard headers before it, in this order.
 */
#ifndef GATHERD_TEST_H
#define GATHERD_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
