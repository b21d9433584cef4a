// See http.hh.
#include "http.hh"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <strings.h>

namespace bench {
namespace {

constexpr size_t largest_line = 1 << 16;

[[noreturn]] void fail(const char *what) { throw HttpTrouble(std::string(what) + ": " + std::strerror(errno)); }

} // namespace

std::string HttpAnswer::header(std::string_view name) const {
    size_t at = 0;
    while (at < headers.size()) {
        size_t end = headers.find("\r\n", at);
        if (end == std::string::npos)
            end = headers.size();
        if (end - at > name.size() && headers[at + name.size()] == ':' &&
            strncasecmp(headers.data() + at, name.data(), name.size()) == 0) {
            size_t from = headers.find_first_not_of(" \t", at + name.size() + 1);
            return from >= end ? std::string() : headers.substr(from, end - from);
        }
        at = end + 2;
    }
    return {};
}

HttpAnswer HttpClient::get(const std::string &target, const std::string &headers) {
    return exchange("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
}

HttpAnswer HttpClient::post(const std::string &target, const std::string &headers, const std::string &body) {
    return exchange("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
                    std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body);
}

void HttpClient::close() {
    if (socket_ >= 0)
        ::close(socket_);
    socket_ = -1;
    received_.clear();
}

void HttpClient::open() {
    bool is_path = where_.find('/') != std::string::npos;
    socket_ = ::socket(is_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0)
        fail("socket");
    set_options();
    int failed;
    if (is_path) {
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        where_.copy(address.sun_path, sizeof address.sun_path - 1);
        failed = connect(socket_, reinterpret_cast<const sockaddr *>(&address), sizeof address);
    } else {
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<uint16_t>(std::atoi(where_.c_str())));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        failed = connect(socket_, reinterpret_cast<const sockaddr *>(&address), sizeof address);
    }
    if (failed != 0)
        fail("connect");
}

void HttpClient::set_options() {
    const timeval timeout = {timeout_seconds_, 0};
    const int on = 1;
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // no TCP, no harm
}

HttpAnswer HttpClient::exchange(const std::string &request) {
    try {
        if (socket_ < 0)
            open();
        send_all(request);
        HttpAnswer answer;
        std::string status = take_line();
        if (status.size() < 12 || status.compare(0, 7, "HTTP/1.") != 0)
            throw HttpTrouble("no HTTP answer: " + status.substr(0, 100));
        answer.status = std::atoi(status.c_str() + 9);
        for (std::string line = take_line(); !line.empty(); line = take_line())
            answer.headers += line + "\r\n";
        if (answer.status != 204 && answer.status != 304) {
            std::string length = answer.header("Content-Length");
            if (!length.empty())
                answer.body = take(std::strtoull(length.c_str(), nullptr, 10));
            else if (strcasecmp(answer.header("Transfer-Encoding").c_str(), "chunked") == 0)
                read_chunks(answer);
            else
                throw HttpTrouble("an answer of unknown length");
        }
        if (strcasecmp(answer.header("Connection").c_str(), "close") == 0)
            close();
        return answer;
    } catch (const HttpTrouble &) {
        close();
        throw;
    }
}

void HttpClient::send_all(const std::string &bytes) {
    for (size_t sent = 0; sent < bytes.size();) {
        ssize_t n = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            fail("send");
        sent += static_cast<size_t>(n);
    }
}

void HttpClient::receive_more() {
    char buffer[1 << 16];
    ssize_t n;
    do
        n = ::recv(socket_, buffer, sizeof buffer, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        fail("recv");
    if (n == 0)
        throw HttpTrouble("the connection was closed before the answer was whole");
    received_.append(buffer, static_cast<size_t>(n));
}

void HttpClient::need(size_t bytes) {
    while (received_.size() < bytes)
        receive_more();
}

std::string HttpClient::take_line() {
    size_t end;
    while ((end = received_.find("\r\n")) == std::string::npos) {
        if (received_.size() > largest_line)
            throw HttpTrouble("a header line without an end");
        receive_more();
    }
    std::string line = received_.substr(0, end);
    received_.erase(0, end + 2);
    return line;
}

std::string HttpClient::take(size_t bytes) {
    need(bytes);
    std::string taken = received_.substr(0, bytes);
    received_.erase(0, bytes);
    return taken;
}

void HttpClient::read_chunks(HttpAnswer &answer) {
    while (size_t length = std::strtoull(take_line().c_str(), nullptr, 16)) {
        answer.body += take(length);
        take_line();
    }
    while (!take_line().empty())
        ;
}

} // namespace bench
