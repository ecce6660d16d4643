/* What the kernels with pixels in the lanes share: how a band gets into scratch, and the loops. Define before inclusion what copy.h and
 * band.h ask for, save copy_band. */
#include "copy.h"

#include "band.h"
