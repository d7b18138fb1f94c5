#include "kernel_source.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <regex>
#include <set>

namespace fakecuda {
namespace {

struct Token {
  size_t begin, end;
  std::string text;
  int conditions;  // how many #if it is inside of
};

bool is_word_character(char c) { return isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Words, literals and single characters; not comments, and not the preprocessor's lines, which are
// put aside.
class Tokens {
 public:
  explicit Tokens(const std::string& source) : source_(source) {
    while (at_ < source.size()) step();
  }
  const std::vector<Token>& all() const { return all_; }
  const std::string& preprocessor_lines() const { return lines_; }

 private:
  bool starts(const char* text) const { return source_.compare(at_, strlen(text), text) == 0; }

  void step() {
    char c = source_[at_];
    if (c == '\n') {
      line_is_empty_ = true;
      ++at_;
    } else if (isspace(static_cast<unsigned char>(c))) {
      ++at_;
    } else if (starts("//")) {
      at_ = std::min(source_.find('\n', at_), source_.size());
    } else if (starts("/*")) {
      size_t end = source_.find("*/", at_ + 2);
      at_ = end == std::string::npos ? source_.size() : end + 2;
    } else if (c == '#' && line_is_empty_) {
      preprocessor_line();
    } else {
      line_is_empty_ = false;
      size_t begin = at_;
      if (c == '"' || c == '\'')
        literal(c);
      else if (is_word_character(c))
        word();
      else
        ++at_;
      all_.push_back({begin, at_, source_.substr(begin, at_ - begin), conditions_});
    }
  }

  void word() {
    bool number = isdigit(static_cast<unsigned char>(source_[at_]));  // 1'000
    while (at_ < source_.size() &&
           (is_word_character(source_[at_]) || (number && source_[at_] == '\'')))
      ++at_;
  }

  void literal(char quote) {
    for (++at_; at_ < source_.size() && source_[at_] != quote; ++at_)
      if (source_[at_] == '\\') ++at_;
    at_ = std::min(at_ + 1, source_.size());
  }

  void preprocessor_line() {
    size_t begin = at_;
    do {
      at_ = std::min(source_.find('\n', at_ + 1), source_.size());
    } while (at_ < source_.size() && source_[at_ - 1] == '\\');
    std::string line = source_.substr(begin, at_ - begin);
    lines_ += line + "\n";
    size_t word = line.find_first_not_of("# \t");
    if (word == std::string::npos) return;
    if (line.compare(word, 2, "if") == 0) ++conditions_;
    if (line.compare(word, 5, "endif") == 0) --conditions_;
  }

  const std::string& source_;
  size_t at_ = 0;
  bool line_is_empty_ = true;
  int conditions_ = 0;
  std::vector<Token> all_;
  std::string lines_;
};

// The token after the parenthesis that closes the one at `i`.
size_t past_parentheses(const std::vector<Token>& tokens, size_t i) {
  int depth = 0;
  for (; i < tokens.size(); ++i) {
    if (tokens[i].text == "(") ++depth;
    if (tokens[i].text == ")" && --depth == 0) return i + 1;
  }
  return i;
}

// The name of the function whose declaration goes on at `i`: the word before its parameters.
std::string function_name(const std::vector<Token>& tokens, size_t i) {
  static const std::set<std::string> attributes = {"__launch_bounds__", "__cluster_dims__",
                                                   "__maxnreg__", "__attribute__", "__align__"};
  for (; i + 1 < tokens.size(); ++i) {
    if (tokens[i].text == ";" || tokens[i].text == "{") break;
    if (tokens[i + 1].text != "(") continue;
    if (!attributes.count(tokens[i].text))
      return is_word_character(tokens[i].text[0]) ? tokens[i].text : "";
    i = past_parentheses(tokens, i + 1) - 1;
  }
  return "";
}

bool has(const std::vector<Token>& tokens, size_t begin, size_t end, const char* text) {
  return std::any_of(tokens.begin() + long(begin), tokens.begin() + long(end),
                     [=](const Token& token) { return token.text == text; });
}

bool ends_statement(const Token& token) {
  return token.text == ";" || token.text == "{" || token.text == "}";
}

}  // namespace

Kernels find_kernels(const std::string& source) {
  Tokens reader(source);
  const std::vector<Token>& tokens = reader.all();
  Kernels found;
  found.conditional = reader.preprocessor_lines().find("__global__") != std::string::npos;
  std::vector<bool> braces;  // for each open one, whether it is that of extern "C" {
  size_t statement = 0;      // where it begins
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    if (token.text == "{")
      braces.push_back(i - statement == 2 && tokens[statement].text == "extern");
    if (token.text == "}" && !braces.empty()) braces.pop_back();
    if (token.text == "__global__") {
      ++found.count;
      found.conditional |= token.conditions > 0;
      bool in_c_block = std::count(braces.begin(), braces.end(), true) > 0;
      bool outermost = std::count(braces.begin(), braces.end(), false) == 0;
      bool c_linkage = in_c_block || has(tokens, statement, i, "\"C\"");
      std::string name = function_name(tokens, i + 1);
      if (c_linkage && outermost && !name.empty() && !has(tokens, statement, i, "template") &&
          !std::count(found.names.begin(), found.names.end(), name))
        found.names.push_back(name);
    }
    if (ends_statement(token)) statement = i + 1;
  }
  return found;
}

namespace {

// `extern __shared__ __align__(16) float name[]` becomes a reference to the launch's memory, so it
// can stand outside of functions, too.
std::string with_dynamic_shared(const std::string& source) {
  Tokens reader(source);
  const std::vector<Token>& tokens = reader.all();
  std::string result;
  size_t copied = 0, statement = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!ends_statement(tokens[i])) continue;
    size_t begin = statement;
    statement = i + 1;
    if (tokens[i].text != ";" || !has(tokens, begin, i, "extern") ||
        !has(tokens, begin, i, "__shared__") || i < begin + 4 || tokens[i - 1].text != "]" ||
        tokens[i - 2].text != "[")
      continue;
    std::string type, name = tokens[i - 3].text;
    for (size_t k = begin; k < i - 3; ++k) {
      if (tokens[k].text == "__align__")
        k = past_parentheses(tokens, k + 1) - 1;
      else if (tokens[k].text != "extern" && tokens[k].text != "__shared__")
        type += (k && tokens[k].begin == tokens[k - 1].end ? "" : " ") + tokens[k].text;
    }
    result += source.substr(copied, tokens[begin].begin - copied);
    result += type + "* const& " + name + " = reinterpret_cast<" + type +
              "* const&>(fakecuda_dynamic_shared)";
    copied = tokens[i].begin;
    size_t lines = size_t(std::count(source.begin() + long(tokens[begin].begin),
                                     source.begin() + long(copied), '\n'));
    result += std::string(lines, '\n');
  }
  return result + source.substr(copied);
}

// CuPy's element-wise kernels have these lines for each operand and result.
std::string with_conversions(const std::string& source) {
  static const std::regex operand(R"(const (\w+_type) (\w+)\((_raw_\w+\[_ind\.get\(\)\])\);)");
  static const std::regex result(R"((_raw_\w+\[_ind\.get\(\)\]) = (\w+);)");
  std::string converted =
      std::regex_replace(source, operand, "const $1 $2(fakecuda::convert<$1>($3));");
  return std::regex_replace(converted, result, "fakecuda::assign($1, $2);");
}

}  // namespace

std::string for_host(const std::string& source) {
  return with_conversions(with_dynamic_shared(source));
}

}  // namespace fakecuda
