#include "operator/cli/completion.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <set>
#include <vector>

#include "operator/cli/failure.hpp"

namespace otaria::cli {
namespace {

struct OptionInfo {
  std::string name;  ///< with dashes
  std::string description;
  bool takes_value = false;
  bool takes_file = false;
};

/// One place in the tree: the words that lead to it, and what may follow.
struct Node {
  std::string path;                                        ///< "image inspect"; empty: the program
  std::vector<std::pair<std::string, std::string>> verbs;  ///< name, description
  std::vector<OptionInfo> options;
  bool takes_files = false;
};

bool names_a_file(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.find("FILE") != std::string::npos || type.find("DIR") != std::string::npos;
}

void add_options(const CLI::App& app, Node& node) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      node.takes_files = node.takes_files || names_a_file(*option);
      continue;
    }
    const bool takes_value = option->get_expected_min() > 0 && option->get_items_expected_max() > 0;
    for (const auto& name : option->get_lnames()) {
      node.options.push_back({"--" + name,
                              option->get_description(),
                              takes_value,
                              takes_value && names_a_file(*option)});
    }
    for (const auto& name : option->get_snames()) {
      node.options.push_back({"-" + name,
                              option->get_description(),
                              takes_value,
                              takes_value && names_a_file(*option)});
    }
  }
}

void collect(const CLI::App& app,
             const CLI::App& root,
             const std::string& path,
             std::vector<Node>& nodes) {
  Node node{path, {}, {}, false};
  add_options(app, node);
  if (&app != &root) {
    // The global options are accepted after the verb too; its own --help is there already.
    std::set<std::string> own;
    for (const auto& option : node.options) own.insert(option.name);
    Node global;
    add_options(root, global);
    for (const auto& option : global.options) {
      if (option.name != "--version" && own.insert(option.name).second)
        node.options.push_back(option);
    }
  }
  const auto verbs = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* verb : verbs)
    node.verbs.emplace_back(verb->get_name(), verb->get_description());
  nodes.push_back(node);
  for (const CLI::App* verb : verbs)
    collect(*verb, root, path.empty() ? verb->get_name() : path + " " + verb->get_name(), nodes);
}

/// Inside single quotes of any of the three shells' POSIX-like strings.
std::string quoted(const std::string& text) {
  std::string safe = "'";
  for (const char c : text) safe += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return safe + "'";
}

std::string first_sentence(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::vector<std::string> value_options(const Node& node, bool files) {
  std::vector<std::string> names;
  for (const auto& option : node.options) {
    if (option.takes_value && option.takes_file == files) names.push_back(option.name);
  }
  return names;
}

/// A `case` over the verb path for bash and zsh: sets words, file_options, value_options, files.
std::string case_table(const std::vector<Node>& nodes) {
  std::string table = "  case \"$verb_path\" in\n";
  for (const Node& node : nodes) {
    std::vector<std::string> verbs;
    std::vector<std::string> options;
    for (const auto& verb : node.verbs) verbs.push_back(verb.first);
    for (const auto& option : node.options) options.push_back(option.name);
    table += fmt::format(
        "    {}) verbs='{}' options='{}' file_options=' {} ' value_options=' {} ' files={} ;;\n",
        quoted(node.path),
        joined(verbs, " "),
        joined(options, " "),
        joined(value_options(node, true), " "),
        joined(value_options(node, false), " "),
        node.takes_files ? 1 : 0);
  }
  return table + "  esac\n";
}

/// Finds the verb path among the words before the cursor. `word` loops over them; options and their
/// values are skipped.
std::string path_walk(const std::string& words) {
  return "  local verb_path='' verbs options file_options value_options files word skip=0\n"
         "  __otaria_node\n"
         "  for word in " +
         words +
         "; do\n"
         "    if [[ $skip == 1 ]]; then skip=0; continue; fi\n"
         "    if [[ \"$file_options$value_options\" == *\" $word \"* ]]; then skip=1; continue; "
         "fi\n"
         "    if [[ \" $verbs \" == *\" $word \"* ]]; then verb_path=\"${verb_path:+$verb_path "
         "}$word\"; __otaria_node; fi\n"
         "  done\n";
}

std::string bash_script(const std::vector<Node>& nodes) {
  return "# bash completion for otaria. Load it: source <(otaria completion bash)\n"
         "# The variables it sets are its caller's locals.\n"
         "__otaria_node() {\n" +
         case_table(nodes) +
         "}\n"
         "_otaria() {\n"
         "  local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
         "  COMPREPLY=()\n" +
         path_walk("\"${COMP_WORDS[@]:1:COMP_CWORD-1}\"") +
         "  if [[ \"$file_options\" == *\" $previous \"* ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); compopt -o filenames "
         "2>/dev/null; return\n"
         "  fi\n"
         "  if [[ \"$value_options\" == *\" $previous \"* ]]; then return; fi\n"
         "  if [[ \"$current\" == -* ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\"); return\n"
         "  fi\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$verbs\" -- \"$current\")\n"
         "  if [[ \"$files\" == 1 ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); compopt -o filenames "
         "2>/dev/null\n"
         "  fi\n"
         "}\n"
         "complete -F _otaria otaria\n";
}

std::string zsh_script(const std::vector<Node>& nodes) {
  return "#compdef otaria\n"
         "# zsh completion for otaria. Load it: source <(otaria completion zsh), or save it as "
         "_otaria in $fpath.\n"
         "__otaria_node() {\n" +
         case_table(nodes) +
         "}\n"
         "_otaria() {\n"
         "  emulate -L zsh\n"
         "  local previous=\"${words[CURRENT-1]}\"\n" +
         path_walk("\"${(@)words[2,CURRENT-1]}\"") +
         "  if [[ \"$file_options\" == *\" $previous \"* ]]; then _files; return; fi\n"
         "  if [[ \"$value_options\" == *\" $previous \"* ]]; then return; fi\n"
         "  if [[ \"$PREFIX\" == -* ]]; then compadd -- ${(s: :)options}; return; fi\n"
         "  [[ -n \"$verbs\" ]] && compadd -- ${(s: :)verbs}\n"
         "  [[ \"$files\" == 1 ]] && _files\n"
         "  return 0\n"
         "}\n"
         "if [[ \"${funcstack[1]}\" == _otaria ]]; then _otaria \"$@\"; else compdef _otaria "
         "otaria; fi\n";
}

std::string fish_quoted(const std::string& text) {
  std::string safe = "'";
  for (const char c : text)
    safe += (c == '\'' || c == '\\') ? std::string("\\") + c : std::string(1, c);
  return safe + "'";
}

std::string fish_script(const std::vector<Node>& nodes) {
  std::set<std::string> with_value;
  std::set<std::string> paths;
  for (const Node& node : nodes) {
    paths.insert(node.path);
    for (const auto& option : node.options) {
      if (option.takes_value) with_value.insert(option.name);
    }
  }
  std::string path_list;
  for (const auto& path : paths) {
    if (!path.empty()) path_list += " " + fish_quoted(path);
  }
  std::string script =
      "# fish completion for otaria. Load it: otaria completion fish | source\n"
      "function __otaria_at --description 'true when the words typed lead to this verb'\n"
      "  set -l path\n"
      "  set -l skip 0\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    if test $skip = 1\n      set skip 0\n      continue\n    end\n"
      "    if contains -- $word " +
      joined({with_value.begin(), with_value.end()}, " ") +
      "\n      set skip 1\n      continue\n    end\n"
      "    if contains -- (string join ' ' -- $path $word)" +
      path_list +
      "\n      set path $path $word\n    end\n"
      "  end\n"
      "  test (string join ' ' -- $path) = \"$argv[1]\"\n"
      "end\n"
      "complete -c otaria -f\n";
  for (const Node& node : nodes) {
    const std::string at =
        fmt::format("complete -c otaria -n {}", fish_quoted("__otaria_at \"" + node.path + "\""));
    for (const auto& [name, description] : node.verbs)
      script += fmt::format("{} -a {} -d {}\n", at, name, fish_quoted(first_sentence(description)));
    for (const auto& option : node.options) {
      const bool is_long = option.name.starts_with("--");
      script += fmt::format("{} {} {}{} -d {}\n",
                            at,
                            is_long ? "-l" : "-s",
                            option.name.substr(is_long ? 2 : 1),
                            option.takes_file    ? " -rF"
                            : option.takes_value ? " -x"
                                                 : "",
                            fish_quoted(first_sentence(option.description)));
    }
    if (node.takes_files) script += at + " -F\n";
  }
  return script;
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  std::vector<Node> nodes;
  collect(app, app, "", nodes);
  if (shell == "bash") return bash_script(nodes);
  if (shell == "zsh") return zsh_script(nodes);
  if (shell == "fish") return fish_script(nodes);
  throw Failure(exit_usage,
                "usage",
                fmt::format("There is no completion for `{}`.", shell),
                "Choose bash, zsh or fish.");
}

}  // namespace otaria::cli
