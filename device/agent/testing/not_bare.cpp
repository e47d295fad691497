// Everything check_bare.py must find, for the test that it does: never linked into a program.
#include <cstdint>
#include <cstdlib>
#include <stdexcept>

namespace otaria::device::testing {

struct Animal {
  virtual ~Animal();
  virtual int legs() const = 0;
};
struct Dog final : Animal {
  int legs() const override { return 4; }
};
Animal::~Animal() = default;

int started_before_main = std::rand();

Animal* new_animal() {
  return new Dog;
}
const Dog* as_dog(const Animal& animal) {
  return dynamic_cast<const Dog*>(&animal);
}
void* allocated(std::size_t bytes) {
  return std::malloc(bytes);
}
const Animal& the_dog() {
  static const Dog dog;
  return dog;
}
int positive(int value) {
  if (value < 0) throw std::range_error("negative");
  return value;
}

}  // namespace otaria::device::testing
