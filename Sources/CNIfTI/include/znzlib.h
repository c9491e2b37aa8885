// nifti2_io.h asks for <znzlib.h>, and distributions put it in a folder that is not searched.
#pragma once
#include <nifti/znzlib.h>
