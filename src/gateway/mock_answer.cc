#include "gateway/mock_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/text.h"

namespace flyball::gateway {
namespace {

constexpr std::string_view kArguments = R"({\"city\":\"Paris\"})";  // inside a JSON string
constexpr std::array<std::string_view, 8> kWords = {"the ",    "engine ", "races, ", "and ",
                                                    "slowly ", "closes ", "its ",    "valve; "};

std::string_view Word(int64_t frame) { return kWords[static_cast<size_t>(frame) % kWords.size()]; }

std::string Text(const MockPlan& plan) {
  std::string text;
  for (int64_t frame = 0; frame < plan.frames; ++frame) text += Word(frame);
  return text;
}

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

std::string ChatUsage(const MockUsage& u) {
  const int64_t prompt = u.input + u.cache_read + u.cache_write_5m + u.cache_write_1h;
  const int64_t completion = u.output + u.reasoning;
  return fmt::format(
      R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},"prompt_tokens_details":{{"cached_tokens":{},"audio_tokens":0}})"
      R"(,"completion_tokens_details":{{"reasoning_tokens":{},"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}})",
      prompt, completion, prompt + completion, u.cache_read, u.reasoning);
}

std::string ResponsesUsage(const MockUsage& u) {
  const int64_t input = u.input + u.cache_read + u.cache_write_5m + u.cache_write_1h;
  const int64_t output = u.output + u.reasoning;
  return fmt::format(
      R"({{"input_tokens":{},"input_tokens_details":{{"cached_tokens":{}}},)"
      R"("output_tokens":{},"output_tokens_details":{{"reasoning_tokens":{}}},"total_tokens":{}}})",
      input, u.cache_read, output, u.reasoning, input + output);
}

std::string_view ChatTier(const MockPlan& plan) {
  return plan.behaviour.no_tier ? "" : R"("service_tier":"default",)";
}

std::string MessagesUsage(const MockPlan& plan, int64_t output) {
  const MockUsage& u = plan.usage;
  return fmt::format(
      R"({{"input_tokens":{},"cache_creation_input_tokens":{},"cache_read_input_tokens":{},)"
      R"("cache_creation":{{"ephemeral_5m_input_tokens":{},"ephemeral_1h_input_tokens":{}}},"output_tokens":{}{}}})",
      u.input, u.cache_write_5m + u.cache_write_1h, u.cache_read, u.cache_write_5m,
      u.cache_write_1h, output, plan.behaviour.no_tier ? "" : R"(,"service_tier":"standard")");
}

std::string_view ChatReason(const MockPlan& plan) {
  return plan.cut_short ? "length" : plan.calls_tool ? "tool_calls" : "stop";
}
std::string_view MessagesReason(const MockPlan& plan) {
  return plan.cut_short ? "max_tokens" : plan.calls_tool ? "tool_use" : "end_turn";
}

std::string ChatBody(const MockPlan& plan) {
  std::string body =
      fmt::format(R"({{"id":"{}","object":"chat.completion","created":{},"model":{},"choices":[)",
                  plan.id, kMockCreated, Quoted(plan.request.model));
  for (int64_t choice = 0; choice < plan.request.choices; ++choice) {
    const std::string message =
        plan.calls_tool
            ? fmt::format(
                  R"("content":null,"tool_calls":[{{"id":"call_{}","type":"function","function":{{"name":{},"arguments":"{}"}}}}],"refusal":null)",
                  choice, Quoted(plan.request.tool), kArguments)
            : fmt::format(R"("content":{},"refusal":null)", Quoted(Text(plan)));
    fmt::format_to(
        std::back_inserter(body),
        R"({}{{"index":{},"message":{{"role":"assistant",{}}},"logprobs":null,"finish_reason":"{}"}})",
        choice > 0 ? "," : "", choice, message, ChatReason(plan));
  }
  body += "]";
  if (!plan.behaviour.no_usage) body += ",\"usage\":" + ChatUsage(plan.usage);
  return fmt::format(R"({},{}"system_fingerprint":"fp_mock"}})", body, ChatTier(plan));
}

std::string ResponsesOutput(const MockPlan& plan) {
  return plan.calls_tool
             ? fmt::format(
                   R"({{"type":"function_call","id":"fc_{0}","call_id":"call_{0}","status":"completed","name":{1},"arguments":"{2}"}})",
                   plan.id, Quoted(plan.request.tool), kArguments)
             : fmt::format(
                   R"({{"type":"message","id":"msg_{}","status":"completed","role":"assistant","content":[{{"type":"output_text","text":{},"annotations":[]}}]}})",
                   plan.id, Quoted(Text(plan)));
}

std::string ResponsesObject(const MockPlan& plan, bool done) {
  return fmt::format(
      R"({{"id":"{}","object":"response","created_at":{},"status":"{}","model":{},"output":[{}],)"
      R"("incomplete_details":{},"error":null,)"
      R"("parallel_tool_calls":true,"tool_choice":"auto","tools":[],"usage":{}}})",
      plan.id, kMockCreated,
      !done            ? "in_progress"
      : plan.cut_short ? "incomplete"
                       : "completed",
      Quoted(plan.request.model), done ? ResponsesOutput(plan) : "",
      done && plan.cut_short ? R"({"reason":"max_output_tokens"})" : "null",
      done && !plan.behaviour.no_usage ? ResponsesUsage(plan.usage) : "null");
}

std::string MessagesBody(const MockPlan& plan) {
  const std::string content =
      plan.calls_tool
          ? fmt::format(
                R"({{"type":"tool_use","id":"toolu_{}","name":{},"input":{{"city":"Paris"}}}})",
                plan.id, Quoted(plan.request.tool))
          : fmt::format(R"({{"type":"text","text":{}}})", Quoted(Text(plan)));
  return fmt::format(
      R"({{"id":"{}","type":"message","role":"assistant","model":{},"content":[{}],"stop_reason":"{}","stop_sequence":null{}}})",
      plan.id, Quoted(plan.request.model), content, MessagesReason(plan),
      plan.behaviour.no_usage
          ? ""
          : ",\"usage\":" + MessagesUsage(plan, plan.usage.output + plan.usage.reasoning));
}

std::string EmbeddingsBody(const MockPlan& plan) {
  // 0.5, -0.25, 0.125, 1: exact as floats of four bytes, little end first.
  const std::string_view vector =
      plan.request.base64 ? R"("AAAAPwAAgL4AAAA+AACAPw==")" : "[0.5,-0.25,0.125,1]";
  std::string body = R"({"object":"list","data":[)";
  for (int64_t i = 0; i < plan.request.inputs; ++i) {
    fmt::format_to(std::back_inserter(body),
                   R"({}{{"object":"embedding","index":{},"embedding":{}}})", i > 0 ? "," : "", i,
                   vector);
  }
  fmt::format_to(std::back_inserter(body),
                 R"(],"model":{},"usage":{{"prompt_tokens":{},"total_tokens":{}}}}})",
                 Quoted(plan.request.model), plan.usage.input, plan.usage.input);
  return body;
}

std::string Event(std::string_view type, std::string_view data) {
  return fmt::format("event: {}\ndata: {{\"type\":\"{}\",{}}}\n\n", type, type, data);
}

// One chunk of a chat stream.
void AppendChunk(const MockPlan& plan, std::string_view delta, std::string_view reason,
                 std::string* out) {
  fmt::format_to(
      std::back_inserter(*out),
      R"(data: {{"id":"{}","object":"chat.completion.chunk","created":{},"model":{},{}"system_fingerprint":"fp_mock",)"
      R"("choices":[{{"index":0,"delta":{},"logprobs":null,"finish_reason":{}}}]{}}})"
      "\n\n",
      plan.id, kMockCreated, Quoted(plan.request.model), ChatTier(plan), delta, reason,
      plan.request.include_usage ? ",\"usage\":null" : "");
}

std::string ChatEnd(const MockPlan& plan) {
  std::string out;
  AppendChunk(plan, "{}", fmt::format("\"{}\"", ChatReason(plan)), &out);
  if (plan.request.include_usage && !plan.behaviour.no_usage) {
    fmt::format_to(
        std::back_inserter(out),
        R"(data: {{"id":"{}","object":"chat.completion.chunk","created":{},"model":{},{}"system_fingerprint":"fp_mock","choices":[],"usage":{}}})"
        "\n\n",
        plan.id, kMockCreated, Quoted(plan.request.model), ChatTier(plan), ChatUsage(plan.usage));
  }
  return out + "data: [DONE]\n\n";
}

// The arguments of a tool call, a piece a frame; the last frame has the rest.
std::string_view ArgumentsPiece(const MockPlan& plan, int64_t frame) {
  // Cut at whole escapes: {\"city\": | \"Paris\"}
  static constexpr size_t kMiddle = 10;
  if (plan.frames == 1) return kArguments;
  if (frame == 0) return kArguments.substr(0, kMiddle);
  return frame == 1 ? kArguments.substr(kMiddle) : std::string_view();
}

std::string ResponsesBegin(const MockPlan& plan) {
  const std::string begun = ResponsesObject(plan, false);
  std::string out = Event("response.created", "\"sequence_number\":0,\"response\":" + begun) +
                    Event("response.in_progress", "\"sequence_number\":1,\"response\":" + begun);
  if (plan.calls_tool) {
    return out +
           Event(
               "response.output_item.added",
               fmt::format(
                   R"("sequence_number":2,"output_index":0,"item":{{"type":"function_call","id":"fc_{0}","call_id":"call_{0}","status":"in_progress","name":{1},"arguments":""}})",
                   plan.id, Quoted(plan.request.tool)));
  }
  return out +
         Event(
             "response.output_item.added",
             fmt::format(
                 R"("sequence_number":2,"output_index":0,"item":{{"type":"message","id":"msg_{}","status":"in_progress","role":"assistant","content":[]}})",
                 plan.id)) +
         Event(
             "response.content_part.added",
             fmt::format(
                 R"("sequence_number":3,"item_id":"msg_{}","output_index":0,"content_index":0,"part":{{"type":"output_text","text":"","annotations":[]}})",
                 plan.id));
}

std::string ResponsesEnd(const MockPlan& plan) {
  const int64_t number = plan.frames + 4;
  std::string out;
  if (plan.calls_tool) {
    out += Event(
        "response.function_call_arguments.done",
        fmt::format(R"("sequence_number":{},"item_id":"fc_{}","output_index":0,"arguments":"{}")",
                    number, plan.id, kArguments));
  } else {
    out += Event(
        "response.output_text.done",
        fmt::format(
            R"("sequence_number":{},"item_id":"msg_{}","output_index":0,"content_index":0,"text":{})",
            number, plan.id, Quoted(Text(plan))));
  }
  out += Event("response.output_item.done",
               fmt::format(R"("sequence_number":{},"output_index":0,"item":{})", number + 1,
                           ResponsesOutput(plan)));
  return out + Event(plan.cut_short ? "response.incomplete" : "response.completed",
                     fmt::format(R"("sequence_number":{},"response":{})", number + 2,
                                 ResponsesObject(plan, true)));
}

std::string MessagesBegin(const MockPlan& plan) {
  const std::string usage = plan.behaviour.no_usage ? "" : ",\"usage\":" + MessagesUsage(plan, 1);
  const std::string block =
      plan.calls_tool
          ? fmt::format(R"({{"type":"tool_use","id":"toolu_{}","name":{},"input":{{}}}})", plan.id,
                        Quoted(plan.request.tool))
          : R"({"type":"text","text":""})";
  return Event(
             "message_start",
             fmt::format(
                 R"("message":{{"id":"{}","type":"message","role":"assistant","model":{},"content":[],"stop_reason":null,"stop_sequence":null{}}})",
                 plan.id, Quoted(plan.request.model), usage)) +
         Event("content_block_start", R"("index":0,"content_block":)" + block) +
         "event: ping\ndata: {\"type\": \"ping\"}\n\n";
}

std::string MessagesEnd(const MockPlan& plan) {
  const std::string usage = plan.behaviour.no_usage
                                ? ""
                                : fmt::format(R"(,"usage":{{"output_tokens":{}}})",
                                              plan.usage.output + plan.usage.reasoning);
  return Event("content_block_stop", R"("index":0)") +
         Event("message_delta",
               fmt::format(R"("delta":{{"stop_reason":"{}","stop_sequence":null}}{})",
                           MessagesReason(plan), usage)) +
         "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
}

}  // namespace

MockUsage& MockUsage::operator+=(const MockUsage& more) {
  input += more.input;
  cache_read += more.cache_read;
  cache_write_5m += more.cache_write_5m;
  cache_write_1h += more.cache_write_1h;
  output += more.output;
  reasoning += more.reasoning;
  return *this;
}

MockPlan PlanAnswer(MockDialect dialect, MockRequest request, const MockBehaviour& behaviour,
                    size_t body_bytes, uint64_t number) {
  static constexpr std::array<std::string_view, 8> kPrefixes = {
      "chatcmpl-", "resp_", "emb_", "models_", "msg_", "count_", "", ""};
  MockPlan plan;
  plan.dialect = dialect;
  plan.request = std::move(request);
  plan.behaviour = behaviour;
  plan.id = fmt::format("{}{:08}", kPrefixes[static_cast<size_t>(dialect)], number);
  const int64_t per_frame = std::max<int64_t>(behaviour.tokens_per_frame, 1);
  plan.frames = std::max<int64_t>(behaviour.frames, 0);
  if (plan.request.max_tokens >= 0 && !behaviour.ignore_max_tokens) {
    const int64_t most =
        std::max<int64_t>(plan.request.max_tokens - behaviour.reasoning_tokens, 0) / per_frame;
    plan.cut_short = most < plan.frames;
    plan.frames = std::min(plan.frames, most);
  }
  plan.calls_tool = behaviour.tool_call && !plan.request.tool.empty();
  const int64_t input = behaviour.input_tokens >= 0
                            ? behaviour.input_tokens
                            : std::max<int64_t>(static_cast<int64_t>(body_bytes) / 4, 1);
  MockUsage& usage = plan.usage;
  if (dialect == MockDialect::kMessages) {
    usage.cache_write_5m = std::min(behaviour.cache_write_5m_tokens, input);
    usage.cache_write_1h = std::min(behaviour.cache_write_1h_tokens, input - usage.cache_write_5m);
  }
  if (dialect != MockDialect::kEmbeddings) {
    const int64_t rest = input - usage.cache_write_5m - usage.cache_write_1h;
    usage.cache_read = rest * std::clamp<int64_t>(behaviour.cached_percent, 0, 100) / 100;
    const int64_t choices =
        dialect == MockDialect::kChat && !plan.request.stream ? plan.request.choices : 1;
    usage.output = plan.frames * per_frame * choices;
    usage.reasoning = std::max<int64_t>(behaviour.reasoning_tokens, 0) * choices;
  }
  usage.input = input - usage.cache_read - usage.cache_write_5m - usage.cache_write_1h;
  return plan;
}

MockUsage UsageAfter(const MockPlan& plan, int64_t frames) {
  MockUsage usage = plan.usage;
  // All choices grow together.
  if (frames < plan.frames) usage.output = plan.usage.output / plan.frames * frames;
  return usage;
}

std::string AnswerBody(const MockPlan& plan) {
  switch (plan.dialect) {
    case MockDialect::kChat:
      return ChatBody(plan);
    case MockDialect::kResponses:
      return ResponsesObject(plan, true);
    case MockDialect::kEmbeddings:
      return EmbeddingsBody(plan);
    case MockDialect::kMessages:
      return MessagesBody(plan);
    default:
      return fmt::format(R"({{"input_tokens":{}}})", plan.usage.input + plan.usage.cache_read +
                                                         plan.usage.cache_write_5m +
                                                         plan.usage.cache_write_1h);
  }
}

std::string StreamBegin(const MockPlan& plan) {
  if (plan.dialect == MockDialect::kMessages) return MessagesBegin(plan);
  if (plan.dialect == MockDialect::kResponses) return ResponsesBegin(plan);
  std::string out;
  const std::string tool =
      plan.calls_tool
          ? fmt::format(
                R"(,"tool_calls":[{{"index":0,"id":"call_0","type":"function","function":{{"name":{},"arguments":""}}}}])",
                Quoted(plan.request.tool))
          : "";
  AppendChunk(plan,
              fmt::format(R"({{"role":"assistant","content":{}{},"refusal":null}})",
                          plan.calls_tool ? "null" : "\"\"", tool),
              "null", &out);
  return out;
}

void AppendFrame(const MockPlan& plan, int64_t frame, std::string* out) {
  const std::string_view piece = plan.calls_tool ? ArgumentsPiece(plan, frame) : Word(frame);
  if (plan.dialect == MockDialect::kChat) {
    AppendChunk(
        plan,
        plan.calls_tool
            ? fmt::format(R"({{"tool_calls":[{{"index":0,"function":{{"arguments":"{}"}}}}]}})",
                          piece)
            : fmt::format(R"({{"content":"{}"}})", piece),
        "null", out);
  } else if (plan.dialect == MockDialect::kMessages) {
    *out += Event(
        "content_block_delta",
        plan.calls_tool
            ? fmt::format(R"("index":0,"delta":{{"type":"input_json_delta","partial_json":"{}"}})",
                          piece)
            : fmt::format(R"("index":0,"delta":{{"type":"text_delta","text":"{}"}})", piece));
  } else if (plan.calls_tool) {
    *out +=
        Event("response.function_call_arguments.delta",
              fmt::format(R"("sequence_number":{},"item_id":"fc_{}","output_index":0,"delta":"{}")",
                          frame + 4, plan.id, piece));
  } else {
    *out += Event(
        "response.output_text.delta",
        fmt::format(
            R"("sequence_number":{},"item_id":"msg_{}","output_index":0,"content_index":0,"delta":"{}")",
            frame + 4, plan.id, piece));
  }
}

std::string StreamEnd(const MockPlan& plan) {
  if (plan.dialect == MockDialect::kMessages) return MessagesEnd(plan);
  return plan.dialect == MockDialect::kResponses ? ResponsesEnd(plan) : ChatEnd(plan);
}

std::string ModelList(const std::vector<std::string>& models) {
  std::string out = R"({"object":"list","data":[)";
  for (const std::string& model : models) {
    fmt::format_to(std::back_inserter(out),
                   R"({}{{"id":{},"object":"model","created":{},"owned_by":"mock"}})",
                   out.back() == '[' ? "" : ",", Quoted(model), kMockCreated);
  }
  return out + "]}";
}

std::string ErrorBody(MockDialect dialect, int status, std::string_view message) {
  if (dialect == MockDialect::kMessages || dialect == MockDialect::kCountTokens) {
    const std::string_view type = status == 429   ? "rate_limit_error"
                                  : status >= 500 ? "api_error"
                                  : status == 404 ? "not_found_error"
                                                  : "invalid_request_error";
    return fmt::format(R"({{"type":"error","error":{{"type":"{}","message":{}}}}})", type,
                       Quoted(message));
  }
  const std::string_view type = status == 429   ? "requests"
                                : status >= 500 ? "server_error"
                                                : "invalid_request_error";
  return fmt::format(R"({{"error":{{"message":{},"type":"{}","param":null,"code":{}}}}})",
                     Quoted(message), type, status == 429 ? "\"rate_limit_exceeded\"" : "null");
}

}  // namespace flyball::gateway
