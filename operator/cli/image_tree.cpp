#include "operator/cli/image_tree.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <stdexcept>

#include "contract/digest.hpp"
#include "device/verify/image_format.hpp"
#include "device/verify/sha256.hpp"
#include "operator/image/commands.hpp"

namespace otaria::cli {
namespace {

/// Offsets and sizes as people write them: 32768, 0x8000, 4M, 64K.
CLI::Option* add_size(CLI::App* verb, const char* name, std::uint32_t& value, const char* what) {
  const auto parse = [&value](const std::string& text) {
    // A digit first: stoull itself would also take blanks and a sign.
    if (text.empty() || text.front() < '0' || text.front() > '9') return false;
    std::size_t end = 0;
    unsigned long long number = 0;
    try {
      number = std::stoull(text, &end, 0);
    } catch (const std::logic_error&) {
      return false;
    }
    const std::string unit = text.substr(end);
    if (!(unit.empty() || unit == "K" || unit == "M")) return false;
    const unsigned long long factor = unit == "M" ? 1ULL << 20 : unit == "K" ? 1ULL << 10 : 1;
    if (number > UINT32_MAX / factor) return false;
    value = static_cast<std::uint32_t>(number * factor);
    return true;
  };
  const auto take = [parse, name](const CLI::results_t& results) {
    if (!parse(results.front()))
      throw CLI::ValidationError(
          name, "`" + results.front() + "` is no number of bytes like 1369472, 0x8000 or 4M");
    return true;
  };
  return verb->add_option(name, take, what)->type_name("BYTES");
}

/// Runs image work with the crypto library started; its own messages say what is wrong.
template <typename Work>
std::function<int(Context&)> with_crypto(Work work) {
  return [work](Context& context) {
    if (!device::init_crypto())
      throw Failure(exit_refused, "internal", "The crypto library cannot be started.");
    return work(context);
  };
}

void add_inspect_and_hash(CLI::App& group, Request& request) {
  {
    auto path = std::make_shared<std::string>();
    CLI::App* verb = add_verb(group,
                              "inspect",
                              "Show and check everything in an image",
                              "otaria image inspect build/firmware.bin");
    verb->add_option("file", *path, "The image")->required()->type_name("FILE");
    verb->callback([&request, path] {
      request.verb = with_crypto([path](Context& context) {
        return image::inspect(*path, context.json(), context.out(), context.err());
      });
    });
  }
  auto paths = std::make_shared<std::vector<std::string>>();
  CLI::App* verb = add_verb(group,
                            "hash",
                            "Print the SHA-256 of images: the notice's `signature`",
                            "otaria image hash build/firmware.bin");
  verb->add_option("files", *paths, "The images")->required()->type_name("FILE");
  verb->callback([&request, paths] {
    request.verb = with_crypto([paths](Context& context) {
      return image::hash(*paths, context.json(), context.out(), context.err());
    });
  });
}

struct MakeArguments {
  image::MakeOptions options;
  std::string path;
  std::string chip = "esp32s3";
  std::string elf_sha256;
};

int make(Context& context, MakeArguments arguments) {
  const auto chip = device::chip_from(arguments.chip);
  if (!chip)
    throw Failure(exit_usage,
                  "unknown_chip",
                  "There is no chip `" + arguments.chip + "`.",
                  "Images are made for esp32, esp32s2, esp32c3 and esp32s3.");
  arguments.options.chip = *chip;
  if (!arguments.elf_sha256.empty()) {
    arguments.options.elf_sha256 = contract::digest_from_hex(arguments.elf_sha256);
    if (!arguments.options.elf_sha256)
      throw Failure(exit_usage,
                    "bad_digest",
                    "--elf-sha256 is not 64 lower-case hex digits.",
                    "Leave it out: one is derived.");
  }
  return image::make(
      arguments.options, arguments.path, context.json(), context.out(), context.err());
}

void add_make(CLI::App& group, Request& request) {
  auto a = std::make_shared<MakeArguments>();
  CLI::App* verb = add_verb(group,
                            "make",
                            "Make an image without a program in it, for rehearsals and tests",
                            "otaria image make sensor-1.4.0.bin --version 1.4.0 --size 1000000");
  verb->add_option("file", a->path, "Where to write it")->required()->type_name("FILE");
  verb->add_option("--version", a->options.version, "Version in the descriptor")
      ->type_name("V")
      ->capture_default_str();
  verb->add_option("--project", a->options.project, "Project in the descriptor")
      ->type_name("NAME")
      ->capture_default_str();
  add_size(verb, "--size", a->options.bytes, "Bytes of the file, a multiple of 16 (262144)");
  verb->add_option("--chip", a->chip, "esp32, esp32s2, esp32c3 or esp32s3")
      ->type_name("CHIP")
      ->capture_default_str();
  verb->add_option(
          "--secure-version", a->options.secure_version, "Anti-rollback version in the descriptor")
      ->type_name("N")
      ->capture_default_str();
  verb->add_option("--idf-version", a->options.idf_version, "ESP-IDF version in the descriptor")
      ->type_name("V")
      ->capture_default_str();
  verb->add_option("--date", a->options.date, "Build date in the descriptor")->type_name("TEXT");
  verb->add_option("--time", a->options.time, "Build time in the descriptor")->type_name("TEXT");
  verb->add_option(
          "--elf-sha256", a->elf_sha256, "Build id in the descriptor (derived when absent)")
      ->type_name("HEX");
  verb->add_option("--seed", a->options.seed, "Images of one seed are alike, for patches")
      ->type_name("N")
      ->capture_default_str();
  verb->add_option("--changed-per-mille",
                   a->options.changed_per_mille,
                   "How unlike two versions of one seed are")
      ->type_name("N")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  verb->callback([&request, a] {
    request.verb = with_crypto([a](Context& context) { return make(context, *a); });
  });
}

void add_partitions(CLI::App& group, Request& request) {
  auto a = std::make_shared<image::PartitionsRequest>();
  CLI::App* verb = add_verb(group,
                            "partitions",
                            "Show a partition table, or convert it between CSV and binary",
                            "otaria image partitions partitions.csv --output partitions.bin");
  verb->add_option("file", a->input, "CSV or binary table")->required()->type_name("FILE");
  verb->add_option("--output",
                   a->output,
                   "Write it there: CSV when the name ends in .csv, else binary (none: print)")
      ->type_name("FILE");
  add_size(verb, "--table-offset", a->table_offset, "Where the table lies in flash (0x8000)");
  add_size(
      verb, "--flash-size", a->flash_bytes, "Check that everything fits a flash of this size (8M)");
  verb->callback([&request, a] {
    request.verb = with_crypto([a](Context& context) {
      return image::partitions(*a, context.json(), context.out(), context.err());
    });
  });
}

}  // namespace

void add_image_verbs(CLI::App& app, Request& request) {
  CLI::App* group = app.add_subcommand("image", "Look into firmware images, hash them, make them");
  group->require_subcommand(1);
  add_inspect_and_hash(*group, request);
  add_make(*group, request);
  add_partitions(*group, request);
}

}  // namespace otaria::cli
