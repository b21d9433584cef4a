// A stream socket with a buffer, for the peers' protocols.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bench {

class Socket {
  public:
    static Socket to_port(int port); // of 127.0.0.1
    static Socket to_path(const std::string &path);
    Socket(Socket &&other) noexcept;
    Socket(const Socket &) = delete;
    Socket &operator=(const Socket &) = delete;
    ~Socket();

    void send(std::string_view bytes);
    std::string line(); // without its "\n" or "\r\n"
    std::string bytes(size_t count);

  private:
    explicit Socket(int descriptor) : descriptor_(descriptor) {}
    void receive();

    int descriptor_;
    std::string buffer_;
    size_t read_ = 0; // of buffer_
};

} // namespace bench
