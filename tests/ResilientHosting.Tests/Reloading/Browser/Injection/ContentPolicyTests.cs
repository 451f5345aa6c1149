using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class ContentPolicyTests
{
    [Theory]
    [InlineData("", null)]
    [InlineData("default-src 'self'", null)]
    [InlineData("img-src 'none'; style-src 'none'", null)]
    [InlineData("default-src 'none'; script-src 'self'; connect-src *", null)]
    [InlineData("script-src https://cdn.test http://localhost:5000", null)]
    [InlineData("script-src localhost:5000/", null)]
    [InlineData("script-src HTTP:", null)]
    [InlineData("script-src 'nonce-abc' 'strict-dynamic'; base-uri 'none'", "abc")]
    [InlineData("SCRIPT-SRC 'Self'; script-src 'none'", null)]
    [InlineData("script-src-elem 'self'; script-src 'none'", null)]
    [InlineData("script-src 'nonce-abc', script-src 'self' 'unsafe-inline'", "abc")]
    [InlineData("sandbox allow-scripts allow-same-origin", null)]
    public void Policy_ThatAllowsTheScript_TellsItsMark(string policy, string? nonce)
    {
        var read = Read(policy);

        Assert.Null(read.WhyForbidden());
        Assert.Equal(nonce, read.Nonce);
    }

    [Theory]
    [InlineData("script-src", "script-src")]
    [InlineData("default-src 'none'", "script-src")]
    [InlineData("script-src 'none'", "script-src")]
    [InlineData("script-src https:", "script-src")]
    [InlineData("script-src https://localhost:5000", "script-src")]
    [InlineData("script-src http://localhost:5001", "script-src")]
    [InlineData("script-src http://localhost:5000/js/", "script-src")]
    [InlineData("script-src 'self' 'strict-dynamic'", "script-src")]
    [InlineData("script-src 'sha256-abc' 'unsafe-inline'", "script-src")]
    [InlineData("script-src 'nonce-abc', script-src 'nonce-def'", "script-src")]
    [InlineData("default-src 'nonce-abc'", "connect-src")]
    [InlineData("script-src 'self'; connect-src https://api.test", "connect-src")]
    [InlineData("sandbox allow-scripts", "sandbox")]
    public void Policy_ThatForbidsTheScript_TellsWhy(string policy, string directive) =>
        Assert.Contains(directive, Read(policy).WhyForbidden(), StringComparison.Ordinal);

    private static ContentPolicy Read(string policy) => new(policy, "http", "localhost:5000");
}
