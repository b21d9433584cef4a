// A small HTTP/1.1 client for tests and benchmarks: one keep-alive connection to a port of 127.0.0.1, or to the socket
// that a path names; blocking, with a timeout.
// Throws HttpTrouble when no answer came; whether the server acted on the request is then unknown.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace bench {

struct HttpTrouble : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct HttpAnswer {
    int status = 0;
    std::string headers; // as they came, each line with its line end
    std::string body;

    std::string header(std::string_view name) const; // the value of the first of that name; "" where there is none
};

class HttpClient {
  public:
    HttpClient(std::string port_or_path, int timeout_seconds)
        : where_(std::move(port_or_path)), timeout_seconds_(timeout_seconds) {}
    ~HttpClient() { close(); }
    HttpClient(const HttpClient &) = delete;
    HttpClient &operator=(const HttpClient &) = delete;

    // headers: further header lines, each ended with \r\n.
    HttpAnswer get(const std::string &target, const std::string &headers);
    HttpAnswer post(const std::string &target, const std::string &headers, const std::string &body);
    void close();

  private:
    HttpAnswer exchange(const std::string &request);
    void open();
    void set_options();
    void send_all(const std::string &bytes);
    void receive_more();
    void read_chunks(HttpAnswer &answer);
    void need(size_t bytes);
    std::string take_line();
    std::string take(size_t bytes);

    std::string where_;
    int timeout_seconds_;
    int socket_ = -1;
    std::string received_; // bytes that came and are not used yet
};

} // namespace bench
