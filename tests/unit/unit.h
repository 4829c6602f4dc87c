/* unit.h: what every test program includes first (cmocka wants these before it). */
#ifndef READBACK_TESTS_UNIT_H
#define READBACK_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#endif
