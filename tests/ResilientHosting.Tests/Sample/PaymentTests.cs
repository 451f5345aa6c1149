using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Sample;

public sealed class PaymentTests
{
    [Fact]
    public async Task Pay_UnpaidOrder_AnswersWithAReceipt()
    {
        await using var sample = SampleApplication.Start();
        var id = (await sample.PlaceAsync("Tony")).GetProperty("id").GetString()!;

        using var response = await PayAsync(sample, id);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var payment = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal(2.50m, payment.GetProperty("amount").GetDecimal());
        Assert.StartsWith("R-", payment.GetProperty("receipt").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Departure.Fin)]
    [InlineData(Departure.Rst)]
    public async Task Pay_ClientLeaves_IsCompletedAndCommitted(Departure departure)
    {
        await using var sample = SampleApplication.Start();
        var id = (await sample.PlaceAsync("Tony")).GetProperty("id").GetString()!;
        var body = $$"""{"orderId":"{{id}}"}""";
        await using var client = await sample.ConnectAsync();
        await client.SendPostAsync("/payments", body.Length, body);
        await sample.Clock.WaitForTimerAsync(SampleApplication.PaymentTime);

        client.Leave(departure);
        await sample.Clock.WaitForTimerAsync(TimeSpan.FromSeconds(30)); // the policy's own limit begins when it sees the client leave
        sample.Clock.Advance(SampleApplication.PaymentTime);

        Assert.Contains("Tony", await sample.WaitForActivityAsync("payment", "completed"), StringComparison.Ordinal);
        Assert.NotEqual(JsonValueKind.Null, (await sample.GetAsync($"/orders/{id}")).GetProperty("paidAt").ValueKind);
    }

    [Fact]
    public async Task Pay_StoppedAndSentAgain_IsPaidOnceAndTheSecondRequestGetsTheReceipt()
    {
        await using var sample = SampleApplication.Start();
        var id = (await sample.PlaceAsync("Tony")).GetProperty("id").GetString()!;
        var body = $$"""{"orderId":"{{id}}"}""";
        await using (var client = await sample.ConnectAsync())
        {
            await client.SendAsync(
                $"POST /payments HTTP/1.1\r\nHost: {sample.Client.BaseAddress!.Authority}\r\nContent-Type: application/json\r\nIdempotency-Key: {id}\r\n"
                + $"Content-Length: {body.Length}\r\n\r\n{body}");
            await sample.Clock.WaitForTimerAsync(SampleApplication.PaymentTime);
            client.Leave(Departure.Rst);
        }

        await sample.Clock.WaitForTimerAsync(TimeSpan.FromSeconds(30));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/payments")
        {
            Content = new StringContent(body, mediaType: new MediaTypeHeaderValue("application/json")),
            Headers = { { "Idempotency-Key", id } },
        };
        var again = sample.Client.SendAsync(request, TestContext.Current.CancellationToken);
        await sample.ResendWaits.SeenAsync();
        sample.Clock.Advance(SampleApplication.PaymentTime);

        using var answer = await again;
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains("\"receipt\":\"R-", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pay_PaidOrder_AnswersConflict()
    {
        await using var sample = SampleApplication.Start();
        var id = (await sample.PlaceAsync("Tony")).GetProperty("id").GetString()!;
        using var first = await PayAsync(sample, id);

        using var second = await sample.PostAsync("/payments", new { orderId = id });

        Assert.Equal(HttpStatusCode.Conflict, second.StatusCode);
    }

    [Fact]
    public async Task Pay_UnknownOrder_AnswersNotFound()
    {
        await using var sample = SampleApplication.Start();

        using var response = await sample.PostAsync("/payments", new { orderId = Guid.Empty });

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    internal static async Task<HttpResponseMessage> PayAsync(SampleApplication sample, string orderId)
    {
        var paying = sample.PostAsync("/payments", new { orderId });
        await sample.Clock.WaitForTimerAsync(SampleApplication.PaymentTime);
        sample.Clock.Advance(SampleApplication.PaymentTime);
        return await paying;
    }
}
