// The systems that are compared, as the SQL that a careful user of each would write.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client.hh"

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

struct Step {
    std::string sql;
    bool takes_file = false; // the one that gets the CSV
};

struct System {
    std::string name = {};   // as in the report
    std::string remark = {}; // what a reader must know of it
    std::function<std::unique_ptr<Session>()> connect = {};
    bool in_cluster = true;               // in the PostgreSQL cluster that fas is in: WAL and checkpoints are known
    std::vector<std::string> create = {}; // statements
    std::string drop = {}, empty = {};
    // Takes a JSON batch; one transaction each. Empty: this one is only asked, another one loads what it reads.
    std::string json_statement = {};
    std::vector<Step> load = {};          // bulk
    bool loads_parts = false;             // several connections may load parts of the CSV at once
    bool loads_by_script = false;         // scripts/load-csv is for this one
    std::string settle = {};              // repeated until its value is 0: fas's compaction; may be empty
    std::string busy = {};                // its value is 0 when nothing goes on in the background; may be empty
    std::vector<std::string> vacuum = {}; // statements
    std::string size = {};                // bytes, everything counted
    std::string live = {};                // fas: bytes of the segments alone; may be empty
    std::string total = {};               // flows, bytes_tx, bytes_rx in one row
    std::string (*question)(const std::string &id, const Subject &subject) = nullptr; // its SQL
};

// The questions' SQL for a relation that has a row per flow. `unseen` is the condition on `n`, the flow keys of an
// hour, that none of the hours before has them.
std::string from_rows(const std::string &relation, const std::string &id, const Subject &subject,
                      const std::string &unseen);
// "hour BETWEEN …": the hours that Q6 and Q7 compare with.
std::string hours_before(const std::string &id, const Subject &subject);

// fas through its functions, fas through plain SQL over `flows` (questions only), and peers in the same cluster.
std::vector<System> cluster_systems(const std::string &conninfo);

} // namespace bench
