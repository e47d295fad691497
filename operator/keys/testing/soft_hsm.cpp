#include "operator/keys/testing/soft_hsm.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace otaria::keys::testing {

std::string new_folder(const std::string& name) {
  static std::atomic<int> count{0};
  std::string path = ::testing::TempDir() + "otaria-" + name + "-" + std::to_string(::getpid()) +
                     "-" + std::to_string(++count);
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

std::string write_file(const std::string& path, const std::string& text, unsigned mode) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  if (::chmod(path.c_str(), static_cast<mode_t>(mode)) != 0)
    throw std::runtime_error("cannot change the mode of " + path);
  return path;
}

SoftHsm::SoftHsm(const std::string& token_label)
    : folder_{new_folder("softhsm")},
      configuration_{folder_ + "/softhsm2.conf"},
      pin_file_{folder_ + "/pin"} {
  std::filesystem::create_directories(folder_ + "/tokens");
  write_file(configuration_,
             "directories.tokendir = " + folder_ +
                 "/tokens\nobjectstore.backend = file\nlog.level = ERROR\n");
  write_file(pin_file_, std::string{pin()} + "\n");
  ::setenv("SOFTHSM2_CONF", configuration_.c_str(), 1);
  add_token(token_label);
}

SoftHsm::~SoftHsm() {
  ::unsetenv("SOFTHSM2_CONF");
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void SoftHsm::add_token(const std::string& label) {
  const std::string command = std::string{OTARIA_SOFTHSM_UTIL} + " --init-token --free --label '" +
                              label + "' --so-pin 271828 --pin " + pin() + " >/dev/null";
  if (std::system(command.c_str()) != 0)  // NOLINT(cert-env33-c): a test's own fixed words
    throw std::runtime_error("softhsm2-util makes no token");
}

std::string SoftHsm::uri(const std::string& token, const std::string& object) const {
  return "pkcs11:token=" + token + ";object=" + object + "?module-path=" + module() +
         "&pin-source=file:" + pin_file_;
}

const char* SoftHsm::module() {
  return OTARIA_SOFTHSM_MODULE;
}

}  // namespace otaria::keys::testing
