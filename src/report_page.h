// SPDX-License-Identifier: MIT
// The parts of the HTML report, made into strings by the build.
#ifndef UVS_REPORT_PAGE_H
#define UVS_REPORT_PAGE_H

extern const char uvs__page_html[], uvs__page_css[], uvs__page_js[], uvs__flame_js[];              // ours
extern const char uvs__uplot_min_css[], uvs__uplot_iife_min_js[], uvs__license[]; // uPlot's

#endif
