using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Sample;

public sealed class OrderTests
{
    [Fact]
    public async Task List_FreshDatabase_ShowsTheSeedOrders()
    {
        await using var sample = SampleApplication.Start();

        var orders = await sample.GetAsync("/orders");

        Assert.Equal(24, orders.GetArrayLength());
        var times = orders.EnumerateArray().Select(order => order.GetProperty("createdAt").GetDateTimeOffset()).ToList();
        Assert.Equal(times.OrderDescending(), times);
    }

    [Fact]
    public async Task Place_ValidOrder_IsCommittedAndFound()
    {
        await using var sample = SampleApplication.Start();

        using var response = await sample.PostAsync(
            "/orders", new { customer = " Tony ", item = "Null reference", quantity = 3, unitPrice = 10.05m });

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var order = await sample.GetAsync(response.Headers.Location!.ToString());
        Assert.Equal("Tony", order.GetProperty("customer").GetString());
        Assert.Equal(30.15m, order.GetProperty("total").GetDecimal());
        Assert.StartsWith(
            "Succeeded:", await sample.WaitForActivityAsync("changes", "committed", "POST /orders"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Place_InvalidOrder_NamesEveryFieldAndTouchesNoDatabase()
    {
        await using var sample = SampleApplication.Start();

        using var response = await sample.PostAsync(
            "/orders", new { customer = "", item = new string('x', 81), quantity = 0, unitPrice = 1.234m });

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal(
            ["customer", "item", "quantity", "unitPrice"],
            problem.GetProperty("errors").EnumerateObject().Select(error => error.Name).Order());
        Assert.Equal(24, (await sample.GetAsync("/orders")).GetArrayLength());
    }

    [Theory]
    [InlineData("{", "Path: $")]
    [InlineData("""{"customer":"A","item":"B","quantity":"two","unitPrice":1}""", "Path: $.quantity")]
    [InlineData("", "")]
    public async Task Place_UnreadableBody_AnswersAProblemThatSaysWhere(string body, string expected)
    {
        await using var sample = SampleApplication.Start();
        using var content = new StringContent(body, Encoding.UTF8, "application/json");

        using var response = await sample.Client.PostAsync("/orders", content, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Contains(
            expected, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("LAM", 1)]
    [InlineData("gra", 1)]
    [InlineData("100%", 1)]
    [InlineData("%", 1)]
    [InlineData("_", 0)]
    [InlineData("!", 0)]
    [InlineData("nobody", 0)]
    public async Task List_Search_FindsTextInCustomerAndItem(string search, int newOrders)
    {
        await using var sample = SampleApplication.Start();
        var before = (await sample.GetAsync($"/orders?search={Uri.EscapeDataString(search)}")).GetArrayLength();
        await sample.PlaceAsync("Grandma", "Lamp 100% cotton");

        var after = (await sample.GetAsync($"/orders?search={Uri.EscapeDataString(search)}")).GetArrayLength();

        Assert.Equal(newOrders, after - before);
    }

    [Theory]
    [InlineData("limit=0")]
    [InlineData("limit=201")]
    [InlineData("limit=many")]
    public async Task List_LimitOutOfRange_AnswersBadRequest(string query)
    {
        await using var sample = SampleApplication.Start();

        using var response = await sample.Client.GetAsync($"/orders?{query}", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(
            "limit", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_ClientStays_SumsUpEveryCustomer()
    {
        await using var sample = SampleApplication.Start();
        var report = sample.GetAsync("/orders/report");

        for (var customer = 0; customer < 8; customer++)
        {
            await sample.Clock.WaitForTimerAsync(SampleApplication.ReportTime / 8);
            sample.Clock.Advance(SampleApplication.ReportTime / 8);
        }

        var sales = (await report).GetProperty("customers").EnumerateArray().ToList();
        Assert.Equal(8, sales.Count);
        Assert.All(sales, row => Assert.Equal(3, row.GetProperty("orders").GetInt64()));
        Assert.Equal(11.2, (await report).GetProperty("seconds").GetDouble());
    }

    [Theory]
    [InlineData(Departure.Fin)]
    [InlineData(Departure.Rst)]
    public async Task Report_ClientLeaves_StopsAtOnceAndClosesTheConnection(Departure departure)
    {
        await using var sample = SampleApplication.Start();
        await using var client = await sample.ConnectAsync();
        await client.SendGetAsync("/orders/report");
        await sample.Clock.WaitForTimerAsync(SampleApplication.ReportTime / 8);

        client.Leave(departure);

        Assert.Equal("after 0 of 8 customers", await sample.WaitForActivityAsync("report", "stopped"));
        Assert.Equal("Aborted: GET /orders/report, status 499", await sample.WaitForActivityAsync("connection", "returned", "report"));
    }
}
