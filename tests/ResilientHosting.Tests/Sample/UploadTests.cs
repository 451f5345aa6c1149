using System.Net;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Sample;

public sealed class UploadTests
{
    [Fact]
    public async Task Upload_Complete_IsKeptUnderItsName()
    {
        await using var sample = SampleApplication.Start();
        using var content = new ByteArrayContent([1, 2, 3]);

        using var response = await sample.Client.PutAsync("/uploads/note.bin", content, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(
            [1, 2, 3], await File.ReadAllBytesAsync(Assert.Single(sample.FilesIn("uploads")), TestContext.Current.CancellationToken));
        var listed = Assert.Single((await sample.GetAsync("/uploads")).EnumerateArray());
        Assert.Equal("note.bin", listed.GetProperty("name").GetString());
    }

    [Theory]
    [InlineData(Departure.Fin)]
    [InlineData(Departure.Rst)]
    public async Task Upload_BrokenOff_LeavesNothingBehind(Departure departure)
    {
        await using var sample = SampleApplication.Start();
        await using var client = await sample.ConnectAsync();
        await client.SendAsync("PUT /uploads/half.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n");
        await client.SendAsync(new string('x', 1000));
        await sample.WaitForActivityAsync("upload", "receiving");

        client.Leave(departure);

        Assert.StartsWith("Aborted: PUT", await sample.WaitForActivityAsync("upload", "discarded"), StringComparison.Ordinal);
        Assert.Empty(sample.FilesIn("incoming"));
        Assert.Empty(sample.FilesIn("uploads"));
    }

    [Theory]
    [InlineData("..%2Fescaped")]
    [InlineData(".hidden")]
    [InlineData("a%20b")]
    [InlineData("a%0A")]
    public async Task Upload_UnsafeName_IsRefused(string name)
    {
        await using var sample = SampleApplication.Start();
        using var content = new ByteArrayContent([1]);

        using var response = await sample.Client.PutAsync($"/uploads/{name}", content, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Empty(sample.FilesIn("uploads"));
    }
}
