using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ResilientHosting.Aborts;

namespace ResilientHosting.Tests.Aborts.Policy.Adoption;

public sealed class ResendKeyTests
{
    [Theory]
    [InlineData("abc", "abc")]
    [InlineData("  abc ", "abc")]
    [InlineData("\"abc\"", "abc")]
    [InlineData("\"a, b\"", "a, b")]
    [InlineData("\"a\\\"b\\\\c\"", "a\"b\\c")]
    [InlineData("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324")]
    public void Parse_TokenOrQuotedString_IsAccepted(string header, string expected)
    {
        Assert.True(ResendKey.TryParse(header, out var key, out _));
        Assert.Equal(expected, key);
    }

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("  ", "it is empty")]
    [InlineData("\"\"", "it is empty")]
    [InlineData("a\tb", "printable ASCII")]
    [InlineData("a\0b", "printable ASCII")]
    [InlineData("schlüssel", "printable ASCII")]
    [InlineData("a b", "without being a quoted string")]
    [InlineData("a,b", "without being a quoted string")]
    [InlineData("a\"", "without being a quoted string")]
    [InlineData("\"a", "quoted string does not end")]
    [InlineData("\"", "quoted string does not end")]
    [InlineData("\"a\";b=1", "quoted string does not end")]
    [InlineData("\"a\\", "quoted string does not end")]
    public void Parse_Malformed_SaysWhatIsWrong(string header, string expected)
    {
        Assert.False(ResendKey.TryParse(header, out _, out var problem));
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_SentTwice_SaysSo()
    {
        Assert.False(ResendKey.TryParse(new StringValues(["a", "b"]), out _, out var problem));
        Assert.Contains("2 times", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(255, true)]
    [InlineData(256, false)]
    public void Parse_Length_IsLimited(int length, bool accepted) =>
        Assert.Equal(accepted, ResendKey.TryParse(new string('k', length), out _, out _));

    [Fact]
    public void Parse_AnyCharacters_NeverThrows()
    {
        const int Seed = 20261121;
        var random = new Random(Seed);
        for (var i = 0; i < 20_000; i++)
        {
            var header = string.Create(random.Next(12), random, (span, random) =>
            {
                foreach (ref var c in span)
                {
                    c = random.Next(4) == 0 ? (char)random.Next(0x10000) : "\"\\ a,"[random.Next(5)];
                }
            });
            var accepted = ResendKey.TryParse(header, out var key, out var problem);
            Assert.True(accepted ? key is { Length: > 0 } && problem is null : problem is not null, $"seed {Seed}: \"{header}\"");
        }
    }

    [Fact]
    public void Bind_EverythingThatTellsRequestsApart_GivesAnotherKey()
    {
        HttpContext[] contexts =
        [
            Context(),
            Context(context => context.Request.Method = "PUT"),
            Context(context => context.Request.Host = new HostString("other")),
            Context(context => context.Request.PathBase = "/base"),
            Context(context => context.Request.Path = "/other"),
            Context(context => context.Request.QueryString = new QueryString("?a=1")),
            Context(context => context.Request.Headers.Authorization = "Bearer 1"),
            Context(context => context.Request.Headers.Authorization = "Bearer 2"),
            Context(context => context.User = User("cookie", new Claim(ClaimTypes.NameIdentifier, "1"))),
            Context(context => context.User = User("cookie", new Claim(ClaimTypes.NameIdentifier, "2"))),
            Context(context => context.User = User("bearer", new Claim(ClaimTypes.NameIdentifier, "1"))),
            Context(context => context.User = User("bearer", new Claim("sub", "1"))),
            Context(context => context.User = User("bearer", new Claim("sub", "1", null, "another issuer"))),
            Context(context => context.User = User("bearer", new Claim(ClaimTypes.Name, "1"))),
        ];

        var keys = contexts.Select(context => ResendKey.Bind(context, "key")).Append(ResendKey.Bind(Context(), "other key")).ToArray();

        Assert.All(keys, Assert.NotNull);
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(keys[0], ResendKey.Bind(Context(), "key"));
    }

    [Fact]
    public void Bind_UserKeepsHisNameAndGetsAnotherToken_GivesTheSameKey() => Assert.Equal(
        ResendKey.Bind(Context(context => SignIn(context, "token 1")), "key"),
        ResendKey.Bind(Context(context => SignIn(context, "token 2")), "key"));

    [Fact]
    public void Bind_AuthenticatedByNothingThatTellsUsersApart_GivesNoKey() =>
        Assert.Null(ResendKey.Bind(Context(context => context.User = User("custom", new Claim("role", "admin"))), "key"));

    private static void SignIn(HttpContext context, string token)
    {
        context.User = User("bearer", new Claim("sub", "1"), new Claim("jti", token));
        context.Request.Headers.Authorization = token;
    }

    private static ClaimsPrincipal User(string scheme, params Claim[] claims) => new(new ClaimsIdentity(claims, scheme));

    private static DefaultHttpContext Context(Action<HttpContext>? change = null)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = "POST";
        context.Request.Host = new HostString("host");
        context.Request.Path = "/path";
        change?.Invoke(context);
        return context;
    }
}
