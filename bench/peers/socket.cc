// See socket.hh.
#include "socket.hh"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace bench {
namespace {

[[noreturn]] void fail(const std::string &what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

void connect_to(int descriptor, const sockaddr *address, socklen_t length, const std::string &what) {
    if (descriptor < 0 || connect(descriptor, address, length) != 0)
        fail("cannot connect to " + what);
}

} // namespace

Socket Socket::to_port(int port) {
    Socket made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect_to(made.descriptor_, reinterpret_cast<sockaddr *>(&address), sizeof address,
               "port " + std::to_string(port));
    int on = 1;
    setsockopt(made.descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return made;
}

Socket Socket::to_path(const std::string &path) {
    Socket made(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        throw std::runtime_error("too long for a socket: " + path);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    connect_to(made.descriptor_, reinterpret_cast<sockaddr *>(&address), sizeof address, path);
    return made;
}

Socket::Socket(Socket &&other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), buffer_(std::move(other.buffer_)), read_(other.read_) {}

Socket::~Socket() {
    if (descriptor_ >= 0)
        close(descriptor_);
}

void Socket::send(std::string_view bytes) {
    while (!bytes.empty()) {
        ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0)
            fail("cannot send to a peer");
        bytes.remove_prefix(static_cast<size_t>(sent));
    }
}

void Socket::receive() {
    if (read_ > size_t{1} << 20 || read_ == buffer_.size()) {
        buffer_.erase(0, read_);
        read_ = 0;
    }
    size_t before = buffer_.size();
    constexpr size_t room = size_t{1} << 18;
    buffer_.resize(before + room);
    ssize_t got = recv(descriptor_, buffer_.data() + before, room, 0);
    buffer_.resize(before + static_cast<size_t>(got > 0 ? got : 0));
    if (got < 0)
        fail("cannot read from a peer");
    if (got == 0)
        throw std::runtime_error("a peer closed the connection");
}

std::string Socket::line() {
    size_t end;
    while ((end = buffer_.find('\n', read_)) == std::string::npos)
        receive();
    std::string text = buffer_.substr(read_, end - read_);
    read_ = end + 1;
    if (!text.empty() && text.back() == '\r')
        text.pop_back();
    return text;
}

std::string Socket::bytes(size_t count) {
    while (buffer_.size() - read_ < count)
        receive();
    std::string text = buffer_.substr(read_, count);
    read_ += count;
    return text;
}

} // namespace bench
