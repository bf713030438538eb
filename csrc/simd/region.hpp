// The code of one target, in the order in which it builds on itself. Included once by each target_*.cpp, inside the
// target's namespace and code region; whatever it needs from outside is included before (see targets.hpp).
#pragma once

#include "simd/vec.hpp"

// engines, from rows to whole calls
#include "engines/vector/fold.hpp"
#include "engines/vector/rows.hpp"

#include "engines/vector/lanes.hpp"

#include "engines/vector/along.hpp"

#include "engines/vector/cells.hpp"
#include "engines/vector/finish.hpp"
#include "engines/vector/nan.hpp"

#include "engines/vector/fused.hpp"

#include "engines/vector/near.hpp"

#include "engines/vector/tiles.hpp"

#include "engines/vector/whole.hpp"

#include "engines/vector/results.hpp"

#include "engines/vector/values.hpp"

#include "engines/vector/packed.hpp"

#include "engines/vector/run.hpp"

#include "engines/vector/flush.hpp"
#include "engines/vector/winner.hpp"

#include "engines/vector/select_rows.hpp"

#include "engines/vector/select.hpp"

#include "engines/vector/backward_tile.hpp"

#include "engines/vector/backward_double.hpp"

#include "engines/vector/backward_rows.hpp"

#include "engines/vector/backward_slide.hpp"

#include "engines/vector/backward_cells.hpp"

#include "engines/vector/backward_whole.hpp"

#include "engines/vector/backward_parts.hpp"

#include "engines/vector/backward_scatter.hpp"

#include "engines/vector/backward.hpp"
