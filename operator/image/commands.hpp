#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "operator/image/make.hpp"

/// The verbs `otaria image ...` as functions: they print to `out` (results; with `json` one object,
/// errors too) and `err` (errors for people, notes) and return the exit code. Expects
/// device::init_crypto() to have been called.
namespace otaria::image {

inline constexpr int exit_accepted = 0;
inline constexpr int exit_usage = 2;
inline constexpr int exit_refused = 3;  ///< also: a file that cannot be read or written

/// A table of everything in the image; `exit_refused` with the named defect for a corrupted one.
/// The chip is never a reason to fail.
int inspect(const std::string& path, bool json, std::ostream& out, std::ostream& err);

/// The SHA-256 of whole files: one file: 64 hex digits alone; several: as sha256sum prints. A file
/// that is no sound image is hashed all the same, with a note on `err`. Goes on after an unreadable
/// file and then returns exit_refused.
int hash(const std::vector<std::string>& paths, bool json, std::ostream& out, std::ostream& err);

/// Writes an image made from `options` to `path`.
int make(const MakeOptions& options,
         const std::string& path,
         bool json,
         std::ostream& out,
         std::ostream& err);

struct PartitionsRequest {
  std::string input;   ///< CSV or binary: told by the first bytes
  std::string output;  ///< empty: print a table; ends in .csv: CSV; else binary
  std::uint32_t table_offset = 0x8000;
  std::uint32_t flash_bytes = 0;  ///< 0: the end of the chip is not checked
};
int partitions(const PartitionsRequest& request, bool json, std::ostream& out, std::ostream& err);

}  // namespace otaria::image
