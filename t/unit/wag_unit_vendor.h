
#ifndef _WAG_UNIT_VENDOR_H_INCLUDED_
#define _WAG_UNIT_VENDOR_H_INCLUDED_


#include "wag_unit.h"
#include "wag_vendor.h"


/*
 * A vendor with these directives of sends, a line each, with one blank between
 * arguments.  NULL if one is wrong, which nginx has logged.
 */
wag_vendor_t *wag_unit_vendor(wag_unit_t *u, const char *text);


#endif /* _WAG_UNIT_VENDOR_H_INCLUDED_ */
