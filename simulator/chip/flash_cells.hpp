#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "simulator/chip/virtual_flash.hpp"

namespace otaria::simulator {

/// Cells in anonymous memory, allocated page by page when first touched.
std::unique_ptr<FlashCells> cells_in_memory(std::uint32_t size);
/// Cells in a file mapped shared and locked, its erase counts in the sidecar. Throws
/// FlashFileError.
std::unique_ptr<FlashCells> cells_of_existing_file(const std::filesystem::path& file);
/// The same for a new, erased file; an existing one is emptied once its lock is held.
std::unique_ptr<FlashCells> cells_of_new_file(const std::filesystem::path& file,
                                              std::uint32_t size);

}  // namespace otaria::simulator
