#include "simulator/net/test_support/test_broker.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace otaria::simulator {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

bool somebody_listens(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool connected =
      ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return connected;
}

}  // namespace

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  auto* at = reinterpret_cast<sockaddr*>(&address);
  const bool known =
      ::bind(socket, at, sizeof address) == 0 && ::getsockname(socket, at, &length) == 0;
  ::close(socket);
  if (!known) throw std::runtime_error{"no free port"};
  return ntohs(address.sin_port);
}

TestBroker::TestBroker(const std::optional<TestCertificate>& tls, const std::string& settings)
    : port_{free_port()} {
  std::string name = (std::filesystem::temp_directory_path() / "otaria-broker-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
  folder_ = name;
  std::ofstream configuration{folder_ / "mosquitto.conf"};
  configuration << "listener " << port_ << " 127.0.0.1\nallow_anonymous true\n" << settings << '\n';
  if (tls) {
    std::ofstream{folder_ / "broker.crt"} << tls->certificate_pem;
    std::ofstream{folder_ / "broker.key"} << tls->key_pem;
    configuration << "certfile " << name << "/broker.crt\nkeyfile " << name << "/broker.key\n";
  }
  // Mosquitto started by root changes to a user that cannot read this folder.
  if (::geteuid() == 0) configuration << "user root\n";
  configuration.close();
  start();
}

void TestBroker::start() {
  const std::string configuration = (folder_ / "mosquitto.conf").string();
  const std::string log = (folder_ / "mosquitto.out").string();
  process_ = ::fork();
  if (process_ == 0) {
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execlp("mosquitto", "mosquitto", "-c", configuration.c_str(), nullptr);
    ::execl("/usr/sbin/mosquitto", "mosquitto", "-c", configuration.c_str(), nullptr);
    ::_exit(127);
  }
  for (int tries = 0; tries < 600; ++tries) {
    if (somebody_listens(port_)) return;
    if (::waitpid(process_, nullptr, WNOHANG) == process_) break;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  throw std::runtime_error{"mosquitto did not start; see " + log};
}

void TestBroker::kill() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

TestBroker::~TestBroker() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace otaria::simulator
