// SPDX-License-Identifier: MIT
// The indexes and views of an exported database.
#include "export_sqlite.h"

const char *const uvs__sqlite_views =
    "CREATE INDEX callback_op ON callback(process_id, op);"
    "CREATE INDEX callback_parent ON callback(process_id, parent_op);"
    "CREATE INDEX callback_time ON callback(loop_id, begin_ns);"
    "CREATE INDEX callback_site ON callback(site_id);"
    "CREATE INDEX work_op ON work(process_id, op);"
    "CREATE INDEX busy_time ON busy(loop_id, begin_ns);"
    "CREATE INDEX sync_call_time ON sync_call(loop_id, begin_ns);"

    "CREATE VIEW callbacks AS SELECT pid, loop, kind, label, count(*) AS count, sum(cancelled) AS cancelled,"
    " sum(duration_ns) AS sum_ns, CAST(avg(duration_ns) AS INTEGER) AS mean_ns, max(duration_ns) AS max_ns,"
    " max(delay_ns) AS max_delay_ns, max(latency_ns) AS max_latency_ns"
    " FROM callback JOIN loop ON loop.id = loop_id JOIN process ON process.id = callback.process_id"
    " LEFT JOIN site ON site.id = site_id GROUP BY callback.process_id, loop_id, kind, site_id;"

    "CREATE VIEW sync_calls AS SELECT pid, loop, kind, label, count(*) AS count, sum(duration_ns) AS sum_ns,"
    " max(duration_ns) AS max_ns"
    " FROM sync_call LEFT JOIN loop ON loop.id = loop_id JOIN process ON process.id = sync_call.process_id"
    " LEFT JOIN site ON site.id = site_id GROUP BY sync_call.process_id, loop_id, kind, site_id;"

    "CREATE VIEW pool_requests AS SELECT pid, work.op, work.kind, label, tid,"
    " work.begin_ns - queue_ns AS submit_ns, queue_ns, work.duration_ns AS service_ns,"
    " delay_ns AS return_ns, latency_ns, parent_op"
    " FROM work JOIN process ON process.id = work.process_id LEFT JOIN site ON site.id = work.site_id"
    " LEFT JOIN callback ON callback.process_id = work.process_id AND callback.op = work.op"
    " AND callback.begin_ns >= work.end_ns;"

    "CREATE VIEW blocks AS SELECT pid, loop, begin_ns - (SELECT begin_ns FROM trace) AS at_ns,"
    " duration_ns, open, begin_ns, end_ns, (SELECT label FROM callback LEFT JOIN site ON site.id = site_id"
    "  WHERE callback.loop_id = busy.loop_id AND callback.begin_ns BETWEEN busy.begin_ns AND busy.end_ns"
    "  ORDER BY callback.duration_ns DESC LIMIT 1) AS longest_callback,"
    " (SELECT count(*) FROM callback WHERE callback.loop_id = busy.loop_id"
    "  AND callback.begin_ns BETWEEN busy.begin_ns AND busy.end_ns) AS callbacks"
    " FROM busy JOIN loop ON loop.id = loop_id JOIN process ON process.id = busy.process_id"
    " WHERE duration_ns >= (SELECT block_threshold_ns FROM trace);"

    "CREATE VIEW blame AS SELECT v.pid, v.what AS victim, v.kind AS victim_kind, vs.label AS victim_label,"
    " p.what, p.kind, ps.label, p.ns, p.times FROM blame_part p JOIN victim v ON v.id = victim_id"
    " LEFT JOIN site vs ON vs.id = v.site_id LEFT JOIN site ps ON ps.id = p.site_id;";
