using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ResilientHosting.Aborts;

namespace ResilientHosting.Tests.Aborts;

public sealed class ClientAbortOptionsTests
{
    [Fact]
    public async Task Start_InvalidOptions_ListsEveryError()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Services.AddClientAbortTolerance(options =>
        {
            options.SettleTimeout = TimeSpan.FromSeconds(6);
            options.MaxSecuredBodySize = 0;
            options.DetailSampling = 1_000_001;
            options.DefaultPolicy = null!;
            options.Adoption.HeaderName = "Idempotency Key";
            options.Adoption.ResultRetention = TimeSpan.Zero;
            options.Adoption.LeaseDuration = TimeSpan.FromMilliseconds(999);
            options.Adoption.CacheTimeout = TimeSpan.FromMinutes(1);
            options.Adoption.MaxResultSize = 0;
            options.Adoption.MaxRetainedSize = -1;
        });
        await using var app = builder.Build();

        var failure = await Assert.ThrowsAsync<OptionsValidationException>(
            () => app.StartAsync(TestContext.Current.CancellationToken));

        Assert.Equal(10, failure.Failures.Count());
        Assert.Contains("Adoption.HeaderName", failure.Message, StringComparison.Ordinal);
        Assert.Contains("00:00:06", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(5001)]
    public async Task Use_InvalidOptions_Throws(int settleMilliseconds)
    {
        await using var app = WebApplication.CreateBuilder().Build();

        Assert.Throws<OptionsValidationException>(() =>
            app.UseClientAbortTolerance(options => options.SettleTimeout = TimeSpan.FromMilliseconds(settleMilliseconds)));
    }

    [Fact]
    public void Add_Twice_RegistersOnceAndKeepsBothChanges()
    {
        var services = new ServiceCollection();

        services.AddClientAbortTolerance(options => options.MaxSecuredBodySize = 7);
        services.AddClientAbortTolerance(options => options.SettleTimeout = TimeSpan.Zero);

        Assert.Single(services, service => service.ImplementationType == typeof(ClientAbortOptionsValidator));
        Assert.Single(services, service => service.ImplementationType == typeof(AbortExceptionHandler));
        var options = services.BuildServiceProvider().GetRequiredService<IOptions<ClientAbortOptions>>().Value;
        Assert.Equal((7, TimeSpan.Zero), (options.MaxSecuredBodySize, options.SettleTimeout));
    }

    [Theory]
    [InlineData(ClientAbortBehavior.CompleteWithin, 0)]
    [InlineData(ClientAbortBehavior.CompleteWithin, 86_401)]
    [InlineData(ClientAbortBehavior.Cancel, 1)]
    [InlineData((ClientAbortBehavior)9, 0)]
    public void Attribute_InvalidArguments_Throws(ClientAbortBehavior behavior, int seconds) =>
        Assert.ThrowsAny<ArgumentException>(() => new ClientAbortAttribute(behavior, seconds));

    [Fact]
    public void Attribute_CompleteWithin_CarriesThePolicy()
    {
        var attribute = new ClientAbortAttribute(ClientAbortBehavior.CompleteWithin, 30);

        Assert.Equal(TimeSpan.FromSeconds(30), attribute.PolicyAmong(new ClientAbortOptions()).Within);
    }
}
