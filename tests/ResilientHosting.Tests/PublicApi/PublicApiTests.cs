using Microsoft.AspNetCore.Builder;

namespace ResilientHosting.Tests.PublicApi;

public sealed class PublicApiTests
{
    private const string Approved = "PublicApi.approved.txt";

    [Fact]
    public async Task PublicApi_IsTheApprovedOne()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "PublicApi");
        var approved = await File.ReadAllLinesAsync(Path.Combine(folder, Approved), TestContext.Current.CancellationToken);
        var actual = new ApiListing(typeof(ClientAbortApplicationBuilderExtensions).Assembly).Lines;

        var changes = approved.Except(actual).Select(line => "- " + line.Trim())
            .Concat(actual.Except(approved).Select(line => "+ " + line.Trim()))
            .ToList();
        if (!actual.SequenceEqual(approved))
        {
            var received = Path.Combine(folder, "PublicApi.received.txt");
            await File.WriteAllLinesAsync(received, actual, TestContext.Current.CancellationToken);
            Assert.Fail(
                "The public API differs from the approved one:\n" + string.Join('\n', changes) +
                $"\nIf that is meant, say so in CHANGELOG.md and approve it:\ncp {received} tests/ResilientHosting.Tests/PublicApi/{Approved}");
        }
    }
}
