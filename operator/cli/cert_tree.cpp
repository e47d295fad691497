#include "operator/cli/cert_tree.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <ctime>
#include <memory>

#include "operator/cert/pem_files.hpp"
#include "operator/cli/image_tree.hpp"
#include "operator/cli/terminal/text.hpp"

namespace otaria::cli {
namespace {

constexpr int authority_days = 3650;
constexpr int leaf_days = 397;  // what public CAs keep to as well

Failure failure_from(const cert::CertError& error) {
  const bool failed = error.code == "file_exists" || error.code == "not_written" ||
                      error.code == "not_a_certificate";
  return {failed ? exit_refused : exit_usage, error.code, error.detail, error.hint};
}

template <typename Work>
std::function<int(Context&)> certificate_work(Work work) {
  return [work](Context& context) {
    try {
      work(context);
    } catch (const cert::CertError& error) {
      throw failure_from(error);
    }
    return exit_ok;
  };
}

Json json_of(const cert::Description& certificate) {
  return {{"subject", certificate.subject},
          {"issuer", certificate.issuer},
          {"serial", certificate.serial},
          {"names", certificate.names},
          {"not_before", certificate.not_before},
          {"not_after", certificate.not_after},
          {"expired", certificate.not_after < std::time(nullptr)},
          {"key", certificate.key},
          {"spki_pin", certificate.spki_pin},
          {"authority", certificate.authority},
          {"for_servers", certificate.for_servers},
          {"for_clients", certificate.for_clients}};
}

std::string validity_of(const cert::Description& certificate) {
  const std::int64_t now = std::time(nullptr);
  const std::string from = terminal::human_time(certificate.not_before);
  const std::string until = terminal::human_time(certificate.not_after);
  if (certificate.not_after < now) return "EXPIRED on " + until;
  if (certificate.not_before > now) return "not before " + from;
  return fmt::format("until {} ({} days)", until, (certificate.not_after - now) / 86'400);
}

void print(Context& context, const cert::Description& certificate) {
  const auto row = [&](const char* name, const std::string& value) {
    if (!value.empty()) context.say(fmt::format("{:<9} {}", name, terminal::printable(value)));
  };
  std::string names;
  for (const auto& name : certificate.names) names += (names.empty() ? "" : ", ") + name;
  std::string use = certificate.authority ? "CA" : "";
  if (!certificate.authority && certificate.for_servers) use = "server";
  if (!certificate.authority && certificate.for_clients) use += use.empty() ? "client" : ", client";
  row("subject", certificate.subject);
  row("issuer", certificate.issuer);
  row("names", names);
  row("use", use);
  row("valid", validity_of(certificate));
  row("key", certificate.key);
  row("SPKI pin", certificate.spki_pin);
  row("serial", certificate.serial);
}

void write_and_tell(Context& context,
                    const cert::IdentityFiles& files,
                    const cert::Identity& identity,
                    const std::string& next) {
  cert::write_identity(files, identity);
  const auto made = cert::describe(identity.certificate).front();
  if (context.json()) {
    Json result = json_of(made);
    result["certificate"] = files.certificate.string();
    result["private_key"] = files.key.string();
    context.print(result);
    return;
  }
  context.say(
      fmt::format("{}  {}, {}", files.certificate.string(), made.subject, validity_of(made)));
  context.say(fmt::format("{}  its private key, mode 0600", files.key.string()));
  context.say(fmt::format("SPKI pin  {}", made.spki_pin));
  context.note(next);
}

struct Arguments {
  std::string out = ".";
  std::string authority;
  std::string name;
  std::vector<std::string> hosts;
  int days = leaf_days;
  [[nodiscard]] cert::Validity validity() const { return {.days = days, .not_before = 0}; }
};

void add_days(CLI::App* verb, int& days) {
  verb->add_option("--days", days, "How long it is valid, 1 to 36,500")
      ->type_name("D")
      ->capture_default_str();
}

void add_authority_and_out(CLI::App* verb, const std::shared_ptr<Arguments>& a) {
  verb->add_option("--ca", a->authority, "Folder that `otaria cert ca` made")
      ->required()
      ->type_name("DIR");
  verb->add_option("--out", a->out, "Folder to write into")
      ->type_name("DIR")
      ->capture_default_str();
}

void add_ca(CLI::App& group, Request& request) {
  auto a = std::make_shared<Arguments>();
  a->name = "Otaria development CA";
  a->days = authority_days;
  CLI::App* verb = add_verb(group,
                            "ca",
                            "Make a CA of your own: ca.pem for devices, ca.key for you alone",
                            "otaria cert ca --out tls/ca");
  verb->add_option("--out", a->out, "Folder to write into")->required()->type_name("DIR");
  verb->add_option("--name", a->name, "Its common name")->type_name("N")->capture_default_str();
  add_days(verb, a->days);
  verb->callback([&request, a] {
    request.verb = certificate_work([a](Context& context) {
      write_and_tell(context,
                     cert::identity_files(a->out, "ca"),
                     cert::make_authority(a->name, a->validity()),
                     "Whoever has ca.key can be any server to your devices: keep it off servers.");
    });
  });
}

void add_server(CLI::App& group, Request& request) {
  auto a = std::make_shared<Arguments>();
  CLI::App* verb =
      add_verb(group,
               "server",
               "Issue a server's certificate: server.pem and server.key",
               "otaria cert server --ca tls/ca --host fw.example --host 192.0.2.7 --out tls");
  add_authority_and_out(verb, a);
  verb->add_option("--host", a->hosts, "Name or address that devices use in URLs; may be repeated")
      ->required()
      ->type_name("NAME|IP")
      ->allow_extra_args(false);
  add_days(verb, a->days);
  verb->callback([&request, a] {
    request.verb = certificate_work([a](Context& context) {
      const auto authority = cert::read_identity(cert::identity_files(a->authority, "ca"));
      write_and_tell(context,
                     cert::identity_files(a->out, "server"),
                     cert::issue_server(authority, a->hosts, a->validity()),
                     "Serve with it: otariad --certificate server.pem --private-key server.key");
    });
  });
}

void add_client(CLI::App& group, Request& request) {
  auto a = std::make_shared<Arguments>();
  CLI::App* verb = add_verb(group,
                            "client",
                            "Issue a client's certificate: NAME.pem and NAME.key",
                            "otaria cert client --ca tls/ca --name a4cf12e0a1b2 --out tls/devices");
  add_authority_and_out(verb, a);
  verb->add_option("--name", a->name, "Its common name: a device's MAC, otariad-1, …")
      ->required()
      ->type_name("CN");
  add_days(verb, a->days);
  verb->callback([&request, a] {
    request.verb = certificate_work([a](Context& context) {
      const auto authority = cert::read_identity(cert::identity_files(a->authority, "ca"));
      // Issued first: only then the name is known to be fit for a file.
      const auto identity = cert::issue_client(authority, a->name, a->validity());
      write_and_tell(context,
                     cert::identity_files(a->out, a->name),
                     identity,
                     "A server accepts it whose http.client_ca is this CA's ca.pem.");
    });
  });
}

void add_show(CLI::App& group, Request& request) {
  auto path = std::make_shared<std::string>();
  CLI::App* verb = add_verb(group,
                            "show",
                            "Show what stands in certificates: names, validity, SPKI pin",
                            "otaria cert show tls/server.pem");
  verb->add_option("file", *path, "PEM file of one or more certificates")
      ->required()
      ->type_name("FILE");
  verb->callback([&request, path] {
    request.verb = certificate_work([path](Context& context) {
      const auto found = cert::describe(cert::read_pem(*path));
      Json items = Json::array();
      for (const auto& certificate : found) {
        if (!items.empty()) context.say("");
        print(context, certificate);
        items.push_back(json_of(certificate));
      }
      if (context.json()) context.print({{"items", items}});
    });
  });
}

}  // namespace

void add_cert_verbs(CLI::App& app, Request& request) {
  CLI::App* group =
      app.add_subcommand("cert", "Certificates for TLS: a CA of your own, what it issues");
  group->require_subcommand(1);
  add_ca(*group, request);
  add_server(*group, request);
  add_client(*group, request);
  add_show(*group, request);
}

}  // namespace otaria::cli
