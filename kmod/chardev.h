/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NC_CHARDEV_H
#define _NC_CHARDEV_H

int nc_chardev_init(void);
void nc_chardev_exit(void);

#endif /* _NC_CHARDEV_H */
