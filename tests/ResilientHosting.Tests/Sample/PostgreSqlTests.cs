using System.Net;
using System.Text.Json;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Sample;

/// <summary>The sample's SQL is one text for both databases; this runs every statement of it on the real PostgreSQL.</summary>
public sealed class PostgreSqlTests
{
    [Fact]
    public async Task Sample_OnPostgreSql_ListsPlacesSearchesPaysReportsAndStreams()
    {
        await using var server = await PostgreSqlServer.StartOrSkipAsync();
        await using var sample = SampleApplication.Start(server.ConnectionString);
        Assert.Equal(24, (await sample.GetAsync("/orders")).GetArrayLength());

        var first = (await sample.PlaceAsync("Grandma", "Lamp 100%")).GetProperty("id").GetString()!;
        await sample.PlaceAsync("Tony");
        var found = Assert.Single((await sample.GetAsync("/orders?search=100%25")).EnumerateArray());
        Assert.Equal(first, found.GetProperty("id").GetString());

        using var paid = await PaymentTests.PayAsync(sample, first);
        using var again = await sample.PostAsync("/payments", new { orderId = first });
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Conflict), (paid.StatusCode, again.StatusCode));
        Assert.Equal(JsonValueKind.String, (await sample.GetAsync($"/orders/{first}")).GetProperty("paidAt").ValueKind);

        await using var reader = await sample.ConnectAsync();
        await reader.SendAsync($"GET /orders/stream HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: {first}\r\n\r\n");
        Assert.Contains("Tony", await reader.ReadUntilAsync("Tony"), StringComparison.Ordinal);

        var report = sample.GetAsync("/orders/report");
        for (var customer = 0; customer < 10; customer++)
        {
            await sample.Clock.WaitForTimerAsync(SampleApplication.ReportTime / 10);
            sample.Clock.Advance(SampleApplication.ReportTime / 10);
        }

        Assert.Equal(10, (await report).GetProperty("customers").GetArrayLength());
    }

    [Fact]
    public async Task Sample_OnPostgreSql_ClientLeavesPayment_IsCommitted()
    {
        await using var server = await PostgreSqlServer.StartOrSkipAsync();
        await using var sample = SampleApplication.Start(server.ConnectionString);
        var id = (await sample.PlaceAsync("Tony")).GetProperty("id").GetString()!;
        var body = $$"""{"orderId":"{{id}}"}""";
        await using var client = await sample.ConnectAsync();
        await client.SendPostAsync("/payments", body.Length, body);
        await sample.Clock.WaitForTimerAsync(SampleApplication.PaymentTime);

        client.Leave(Departure.Rst);
        sample.Clock.Advance(SampleApplication.PaymentTime);

        await sample.WaitForActivityAsync("changes", "committed", "POST /payments");
    }
}
