// The systems that are compared, as the SQL that a careful user of each would write.
#pragma once

#include <string>
#include <vector>

namespace bench {

struct Question {
    std::string id;    // "Q1"
    std::string title; // for a person
};

// What the questions ask about; drawn from the data itself.
struct Subject {
    std::string hour;             // Q1, Q6, Q7
    std::string day_from, day_to; // Q2: 24 hours
    std::string app;              // Q3
};

const std::vector<Question> &questions();

struct System {
    std::string name;                // as in the report
    std::string remark;              // what a reader must know of it
    std::string create, drop, empty; // SQL
    std::string json_statement;      // $1 is a JSON batch; one transaction each
    std::vector<std::string> load;   // bulk: statements in turn; the one that says COPY gets the CSV
    std::string settle;              // repeated until its value is 0: fas's compaction; may be empty
    std::vector<std::string> vacuum; // statements
    std::string size;                // bytes, everything counted
    std::string live;                // fas: bytes of the segments alone; may be empty
    std::string total;               // flows, bytes_tx, bytes_rx in one row
    std::string (*question)(const std::string &id, const Subject &subject); // its SQL
};

// fas through its functions, fas through plain SQL over `flows` (questions only: json_statement is empty), and peers.
std::vector<System> all_systems();

} // namespace bench
