// Sources: from what an estate says of where bills come from, to files on this disk that are whole
// and verified, in sets that are each one import.
//
//   estate.yaml ─► Store (s3.h, azure.h, gcs.h: requests and answers, signed and read; folder.h)
//                    │ list, page by page
//   objects, manifests ─► plan.h: sets of files, each new, changed or unchanged ◄─ memory.h
//                    │ fetch.h: by Range where a part is there, retried, limited, verified
//   home/sync/<source>/files/... ─► (app/sync.cc) the import that `flyball import` is
//
// A vendor's API has no objects: its pages (vendor_api.h) are kept and put together to one object a
// month (api_month.h), which then goes the same way.
//
// Requests, answers, manifests and plans are pure functions over values, tested without a network;
// fetch.h alone moves bytes, through net::WebClient. Secrets are read from the environment when a
// store is opened, stand in requests only, and in no error.
//
// What is remembered of a source is written after each import: a sync that was ended anywhere does
// the rest the next time, and what was imported but not remembered is found unchanged by its
// content.
#pragma once
