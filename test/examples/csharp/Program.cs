// A chat with Azure OpenAI under `azure-ai-token-broker run chat -- dotnet run`. Nothing here knows of a broker.
using System.Net.Http.Headers;
using System.Text;
using Azure.Core;
using Azure.Identity;

var endpoint = Environment.GetEnvironmentVariable("ENDPOINT");
var calls = int.Parse(Environment.GetEnvironmentVariable("CALLS") ?? "1");
var credential = new DefaultAzureCredential();
var scope = new TokenRequestContext(["https://cognitiveservices.azure.com/.default"]);
using var http = new HttpClient();
for (var call = 0; call < calls; call++)
{
    if (call > 0) await Task.Delay(500);
    var token = await credential.GetTokenAsync(scope);
    using var request = new HttpRequestMessage(HttpMethod.Post, $"{endpoint}/openai/v1/chat/completions")
    {
        Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token.Token) },
        Content = new StringContent(
            """{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}]}""",
            Encoding.UTF8,
            "application/json"),
    };
    using var answer = await http.SendAsync(request);
    Console.WriteLine($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
}
