#include "ingest/native/service.h"

#include <string>

#include "base/text.h"

namespace flyball::native {
namespace {

struct Word {
  std::string_view word;  // lower case
  ServiceKind kind;
};

constexpr std::string_view kAi = "AI and Machine Learning";

// The first word that stands in the name counts: the narrower ones first.
constexpr Word kWords[] = {
    {"bedrock", {kAi, "Generative AI"}},
    {"openai", {kAi, "Generative AI"}},
    {"gemini", {kAi, "Generative AI"}},
    {"foundry models", {kAi, "Generative AI"}},
    {"generative ai", {kAi, "Generative AI"}},
    {"claude", {kAi, "Generative AI"}},
    {"amazon q", {kAi, "Generative AI"}},
    {"model studio", {kAi, "Generative AI"}},
    {"bailian", {kAi, "Generative AI"}},
    {"sagemaker", {kAi, "Machine Learning"}},
    {"vertex ai", {kAi, "AI Platforms"}},
    {"machine learning", {kAi, "Machine Learning"}},
    {"data science", {kAi, "Machine Learning"}},
    {"cognitive", {kAi, "AI Platforms"}},
    {"foundry", {kAi, "AI Platforms"}},
    {"azure ai", {kAi, "AI Platforms"}},
    {"comprehend", {kAi, "Natural Language Processing"}},
    {"natural language", {kAi, "Natural Language Processing"}},
    {"translat", {kAi, "Natural Language Processing"}},
    {"bot service", {kAi, "Bots"}},
    {"lex", {kAi, "Bots"}},
    {"rekognition", {kAi, "Other (AI and Machine Learning)"}},
    {"textract", {kAi, "Other (AI and Machine Learning)"}},
    {"elasticache", {"Databases", "Caching"}},
    {"redis", {"Databases", "Caching"}},
    {"memorydb", {"Databases", "Caching"}},
    {"redshift", {"Databases", "Data Warehouses"}},
    {"bigquery", {"Databases", "Data Warehouses"}},
    {"synapse", {"Databases", "Data Warehouses"}},
    {"snowflake", {"Databases", "Data Warehouses"}},
    {"autonomous", {"Databases", "Relational Databases"}},
    {"databricks", {"Analytics", "Data Processing"}},
    {"athena", {"Analytics", "Analytics Platforms"}},
    {"kinesis", {"Analytics", "Streaming Analytics"}},
    {"dataflow", {"Analytics", "Streaming Analytics"}},
    {"glue", {"Analytics", "Data Processing"}},
    {"elasticmapreduce", {"Analytics", "Data Processing"}},
    {"dataproc", {"Analytics", "Data Processing"}},
    {"data factory", {"Analytics", "Data Processing"}},
    {"opensearch", {"Analytics", "Search"}},
    {"dynamodb", {"Databases", "NoSQL Databases"}},
    {"cosmos", {"Databases", "NoSQL Databases"}},
    {"firestore", {"Databases", "NoSQL Databases"}},
    {"bigtable", {"Databases", "NoSQL Databases"}},
    {"rds", {"Databases", "Relational Databases"}},
    {"relational database", {"Databases", "Relational Databases"}},
    {"aurora", {"Databases", "Relational Databases"}},
    {"sql", {"Databases", "Relational Databases"}},
    {"spanner", {"Databases", "Relational Databases"}},
    {"database", {"Databases", ""}},
    {"lambda", {"Compute", "Serverless Compute"}},
    {"cloud functions", {"Compute", "Serverless Compute"}},
    {"functions", {"Compute", "Serverless Compute"}},
    {"cloud run", {"Compute", "Serverless Compute"}},
    {"kubernetes", {"Compute", "Containers"}},
    {"eks", {"Compute", "Containers"}},
    {"ecs", {"Compute", "Containers"}},
    {"container", {"Compute", "Containers"}},
    {"fargate", {"Compute", "Containers"}},
    {"loadbalanc", {"Networking", "Application Networking"}},
    {"load balanc", {"Networking", "Application Networking"}},
    {"elb", {"Networking", "Application Networking"}},
    {"cloudfront", {"Networking", "Content Delivery"}},
    {"cdn", {"Networking", "Content Delivery"}},
    {"vpc", {"Networking", "Network Infrastructure"}},
    {"virtual network", {"Networking", "Network Infrastructure"}},
    {"networking", {"Networking", ""}},
    {"bandwidth", {"Networking", ""}},
    {"route53", {"Networking", "Network Routing"}},
    {"route 53", {"Networking", "Network Routing"}},
    {"dns", {"Networking", "Network Routing"}},
    {"vpn", {"Networking", "Network Connectivity"}},
    {"directconnect", {"Networking", "Network Connectivity"}},
    {"expressroute", {"Networking", "Network Connectivity"}},
    {"nat gateway", {"Networking", "Network Routing"}},
    {"glacier", {"Storage", "Backup Storage"}},
    {"backup", {"Storage", "Backup Storage"}},
    {"efs", {"Storage", "File Storage"}},
    {"fsx", {"Storage", "File Storage"}},
    {"file storage", {"Storage", "File Storage"}},
    {"filestore", {"Storage", "File Storage"}},
    {"s3", {"Storage", "Object Storage"}},
    {"object storage", {"Storage", "Object Storage"}},
    {"cloud storage", {"Storage", "Object Storage"}},
    {"block storage", {"Storage", "Block Storage"}},
    {"disk", {"Storage", "Block Storage"}},
    {"storage", {"Storage", ""}},
    {"ec2", {"Compute", "Virtual Machines"}},
    {"elastic compute", {"Compute", "Virtual Machines"}},
    {"compute engine", {"Compute", "Virtual Machines"}},
    {"virtual machine", {"Compute", "Virtual Machines"}},
    {"compute", {"Compute", ""}},
    {"app service", {"Web", "Application Platforms"}},
    {"app engine", {"Web", "Application Platforms"}},
    {"cloudwatch", {"Management and Governance", ""}},
    {"cloudtrail", {"Management and Governance", ""}},
    {"monitor", {"Management and Governance", ""}},
    {"logging", {"Management and Governance", ""}},
    {"log analytics", {"Management and Governance", ""}},
    {"config", {"Management and Governance", ""}},
    {"support", {"Management and Governance", ""}},
    {"kms", {"Security", ""}},
    {"key management", {"Security", ""}},
    {"key vault", {"Security", ""}},
    {"secret", {"Security", ""}},
    {"guardduty", {"Security", ""}},
    {"defender", {"Security", ""}},
    {"waf", {"Security", ""}},
    {"sqs", {"Integration", ""}},
    {"sns", {"Integration", ""}},
    {"queue", {"Integration", ""}},
    {"pub/sub", {"Integration", ""}},
    {"service bus", {"Integration", ""}},
    {"event", {"Integration", ""}},
    {"api gateway", {"Integration", ""}},
    {"apigateway", {"Integration", ""}},
    {"devops", {"Developer Tools", ""}},
    {"codebuild", {"Developer Tools", ""}},
    {"cognito", {"Identity", ""}},
    {"active directory", {"Identity", ""}},
    {"entra", {"Identity", ""}},
    {"iot", {"Internet of Things", ""}},
    {"media", {"Media", ""}},
};

}  // namespace

namespace {

bool IsLetter(char c) { return c >= 'a' && c <= 'z'; }

// Short words stand in many others ("lex" in "flexible"): they count alone, or behind the vendor's
// name as in AmazonEC2. "sql" is part of every database's name.
bool Stands(std::string_view text, std::string_view word) {
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    if (word.size() > 4 || word == "sql") return true;
    const std::string_view before = text.substr(0, at);
    const size_t end = at + word.size();
    const bool begins = before.empty() || !IsLetter(before.back()) || before.ends_with("amazon") ||
                        before.ends_with("aws");
    const size_t after = end + (text.substr(end).starts_with('s') ? 1 : 0);  // disk, disks
    if (begins && (after >= text.size() || !IsLetter(text[after]))) return true;
  }
  return false;
}

}  // namespace

ServiceKind KindOfService(std::string_view name) {
  const std::string lower = ToLower(name);
  for (const Word& word : kWords) {
    if (Stands(lower, word.word)) return word.kind;
  }
  return {"Other", ""};
}

}  // namespace flyball::native
