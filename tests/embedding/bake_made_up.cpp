// Writes a small ESPNet with made-up weights, which `vkseg bake` rightly refuses: bake_made_up FILE WIDTH HEIGHT
#include "runtime/api/baked_model.hpp"
#include "runtime/api/model_loader.hpp"

#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: " << argv[0] << " FILE WIDTH HEIGHT\n";
        return 2;
    }
    try {
        vkseg::ModelOptions options;
        options.config = {{"alpha2", 1.0}, {"alpha3", 1.0}};
        const auto model = vkseg::load_model(options, std::atoi(argv[2]), std::atoi(argv[3]));
        vkseg::ClassList classes{"made-up", {}};
        for (int i = 0; i < model->classes; ++i)
            classes.classes.push_back({"class " + std::to_string(i),
                                       {static_cast<uint8_t>(i * 12), static_cast<uint8_t>(255 - i * 12), 128},
                                       -1});
        const auto bytes = vkseg::bake(*model, {}, classes, true);
        std::ofstream file(argv[1], std::ios::binary);
        file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        return file ? 0 : 1;
    } catch (const std::exception& reason) {
        std::cerr << reason.what() << '\n';
        return 1;
    }
}
