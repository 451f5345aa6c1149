using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class DevReloaderOptionsValidatorTests
{
    private readonly DevReloaderOptionsValidator _validator = new();

    [Fact]
    public void Validate_Defaults_Succeeds() => Assert.True(_validator.Validate(null, new DevReloaderOptions()).Succeeded);

    [Fact]
    public void Validate_Limits_Succeeds() => Assert.True(_validator.Validate(null, new DevReloaderOptions
    {
        PollingInterval = TimeSpan.FromMilliseconds(50),
        QuietPeriod = TimeSpan.FromSeconds(10),
        DrainTimeout = TimeSpan.Zero,
        HoldTimeout = TimeSpan.FromMinutes(10),
        MaxHeldRequests = 1,
        StartTimeout = TimeSpan.FromSeconds(1),
        TriggerFile = "../reload",
    }).Succeeded);

    [Fact]
    public void Validate_EverythingOutOfRange_ListsEveryOptionWithItsRangeAndValue()
    {
        var result = _validator.Validate(null, new DevReloaderOptions
        {
            Watch = (WatchMode)7,
            PollingInterval = TimeSpan.FromMilliseconds(49),
            QuietPeriod = TimeSpan.FromSeconds(11),
            DrainTimeout = TimeSpan.FromSeconds(-1),
            HoldTimeout = TimeSpan.Zero,
            StartTimeout = TimeSpan.FromMinutes(11),
            MaxHeldRequests = 0,
            TriggerFile = "reload/",
        });

        Assert.Equal(
            [
                "Property Watch: must be Auto, Events or Polling, but is 7.",
                "Property PollingInterval: must be from 00:00:00.0500000 to 00:01:00, but is 00:00:00.0490000.",
                "Property QuietPeriod: must be from 00:00:00 to 00:00:10, but is 00:00:11.",
                "Property DrainTimeout: must be from 00:00:00 to 00:01:00, but is -00:00:01.",
                "Property HoldTimeout: must be from 00:00:01 to 00:10:00, but is 00:00:00.",
                "Property StartTimeout: must be from 00:00:01 to 00:10:00, but is 00:11:00.",
                "Property MaxHeldRequests: must be at least 1, but is 0.",
                "Property TriggerFile: must be the path of a file, but is \"reload/\".",
            ],
            result.Failures);
    }
}
