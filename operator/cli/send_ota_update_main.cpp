#include "operator/cli/run.hpp"
#include "operator/cli/send_ota_update.hpp"

int main(int argc, char** argv) {
  using namespace otaria::cli;
  GlobalOptions global;
  SendOtaUpdateArguments arguments;
  CLI::App app(
      "Offers the firmware image behind a URL to devices: through otariad when one answers, else "
      "straight to the broker.");
  app.name("send_ota_update");
  app.footer(
      "`signature` is the SHA-256 of the image, not a cryptographic signature; without --signature "
      "the URL is fetched and hashed.\n"
      "Exit codes: 0 accepted, 2 usage, 3 refused or failed, 4 server or broker unreachable.\n"
      "Example:\n  send_ota_update 1.4.0 https://fw.example/firmware.bin --device sensor_A1B2");
  app.add_option("version", arguments.version, "Version of the image, MAJOR.MINOR.PATCH")
      ->required()
      ->type_name("VERSION");
  app.add_option("url", arguments.url, "Where devices fetch it")->required()->type_name("URL");
  app.add_option("--signature",
                 arguments.signature,
                 "SHA-256 of the image, 64 hex digits (generate_firmware_hash prints it)")
      ->type_name("HEX");
  app.add_option("--device", arguments.devices, "Device id; may be repeated")
      ->type_name("ID")
      ->allow_extra_args(false);
  app.add_option("--devices-file",
                 arguments.devices_file,
                 "File of device ids, one per line, # for comments")
      ->type_name("FILE");
  app.add_flag("--force",
               arguments.force,
               "Install an equal or older version too; never skips a check of the image");
  app.add_option("--broker",
                 arguments.broker,
                 "mqtt[s]://[USER:PASSWORD@]HOST[:PORT]: straight to this broker, without otariad")
      ->type_name("URL");
  app.add_option("--token-file", global.token_file, "Token for otariad; with --broker the password")
      ->type_name("FILE")
      ->envname("OTARIA_TOKEN_FILE");
  app.add_option(
         "--ca", global.ca_file, "CAs to trust for https and mqtts, PEM, in place of the system's")
      ->type_name("FILE")
      ->envname("OTARIA_CA_FILE");
  app.add_option("--server", global.server, "URL of otariad")
      ->type_name("URL")
      ->envname("OTARIA_SERVER")
      ->capture_default_str();
  app.add_flag("--json", global.json, "One JSON object in place of text");
  app.add_flag("--quiet", global.quiet, "Results and errors only");
  app.set_version_flag("--version", "send_ota_update " OTARIA_VERSION);
  return run_program(app, argc, argv, global, [&](Context& context) {
    return send_ota_update(context, arguments);
  });
}
