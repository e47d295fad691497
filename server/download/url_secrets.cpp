#include "server/download/url_secrets.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "contract/openssl/crypto.hpp"

namespace otaria::server {
namespace {

constexpr std::size_t secrets_kept = 2;

struct Line {
  UrlSecret secret{};
  std::int64_t made_at = 0;
};

std::runtime_error unusable(const std::filesystem::path& file, const std::string& why) {
  return std::runtime_error{"the secret of download URLs, " + file.string() + ", " + why +
                            "; remove it to have a new one made"};
}

std::vector<Line> read_lines(const std::filesystem::path& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) return {};
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw unusable(file, "can be read by others: chmod 600 if nobody has");
  }
  std::ifstream in{file};
  std::vector<Line> lines;
  for (std::string text; std::getline(in, text);) {
    std::istringstream words{text};
    std::string secret;
    Line line;
    words >> secret >> line.made_at;
    const auto bytes = crypto::from_base64url(secret);
    if (!words || !bytes || bytes->size() != line.secret.size()) {
      throw unusable(file, "has a line that is none of ours");
    }
    std::copy(bytes->begin(), bytes->end(), line.secret.begin());
    lines.push_back(line);
  }
  if (lines.empty()) throw unusable(file, "is empty or cannot be read");
  return lines;
}

Line new_line(std::int64_t now) {
  Line line{.made_at = now};
  const auto bytes = crypto::random_bytes(line.secret.size());
  std::copy(bytes.begin(), bytes.end(), line.secret.begin());
  return line;
}

void write_lines(const std::filesystem::path& file, const std::vector<Line>& lines) {
  const std::filesystem::path directory = file.parent_path();
  if (std::filesystem::create_directories(directory)) {
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all);
  }
  std::string text;
  for (const Line& line : lines) {
    text += crypto::base64url(line.secret) + " " + std::to_string(line.made_at) + "\n";
  }
  crypto::write_secret_file(file, text);
}

}  // namespace

UrlSecrets load_url_secrets(const std::filesystem::path& file, std::int64_t now) {
  std::vector<Line> lines = read_lines(file);
  if (lines.empty() || now - lines.front().made_at > url_secret_life_s) {
    lines.insert(lines.begin(), new_line(now));
    lines.resize(std::min(lines.size(), secrets_kept));
    write_lines(file, lines);
  }
  UrlSecrets secrets{.current = lines.front().secret, .previous = std::nullopt};
  if (lines.size() > 1) secrets.previous = lines[1].secret;
  return secrets;
}

UrlSecrets read_shared_url_secrets(const std::filesystem::path& file, std::int64_t now) {
  const std::string named = "downloads.secret_file " + file.string();
  if (!std::filesystem::exists(file)) {
    throw std::runtime_error{named +
                             " is not there: it is made by hand, once, and given to each "
                             "server (docs/guide/configuration.md)"};
  }
  const std::vector<Line> lines = read_lines(file);
  const auto due = std::find_if(
      lines.begin(), lines.end(), [now](const Line& line) { return line.made_at <= now; });
  if (due == lines.end()) {
    throw std::runtime_error{named + " holds no secret whose time has come"};
  }
  UrlSecrets secrets{.current = due->secret, .previous = std::nullopt};
  if (due + 1 != lines.end()) secrets.previous = (due + 1)->secret;
  return secrets;
}

std::string id_of_url_secret(const UrlSecret& secret) {
  constexpr std::size_t id_characters = 8;
  std::string text = "otaria download secret";
  text.append(secret.begin(), secret.end());
  return std::string{contract::hex_of(crypto::sha256(text)).data(), id_characters};
}

}  // namespace otaria::server
